//! Changing what is there: patch, edit, label, annotate, set.

use super::tour::{Tour, has};

fn with_deployment(theme: &str) -> Option<Tour> {
    let tour = Tour::begin(theme)?;
    tour.ok("create deployment d --image=nginx:1 --replicas=0");
    Some(tour)
}

#[test]
fn the_three_patch_types_merge_as_they_should() {
    let Some(tour) = with_deployment("patch") else { return };
    let containers = "get deploy d -o jsonpath={.spec.template.spec.containers[*].name}";
    assert_eq!(
        tour.ok("patch deploy d -p {\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"side\",\"image\":\"busybox:1\"}]}}}}"),
        "deployment.apps/d patched\n"
    );
    assert_eq!(tour.ok(containers).split(' ').count(), 2, "a strategic patch adds by name");
    tour.ok("patch deploy d -p {\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"$patch\":\"delete\",\"name\":\"nginx\"}]}}}}");
    assert_eq!(tour.ok(containers), "side");
    tour.ok("patch deploy d --type=merge -p {\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"only\",\"image\":\"nginx:2\"}]}}}}");
    assert_eq!(tour.ok(containers), "only", "a merge patch replaces lists");
    tour.ok("patch deploy d --type=json -p '[{\"op\":\"test\",\"path\":\"/spec/replicas\",\"value\":0},{\"op\":\"replace\",\"path\":\"/spec/replicas\",\"value\":1}]'");
    assert_eq!(tour.ok("get deploy d -o jsonpath={.spec.replicas}"), "1");
    assert_eq!(tour.ok("patch deploy d -p {\"spec\":{\"replicas\":1}}"), "deployment.apps/d patched (no change)\n");
    let file = tour.file("patch.yaml", "spec: {replicas: 0}");
    tour.ok(&format!("patch deploy d --patch-file={file}"));
    assert_eq!(tour.ok("get deploy d -o jsonpath={.spec.replicas}"), "0");
    tour.ok("patch deploy d --subresource=scale --type=merge -p {\"spec\":{\"replicas\":2}}");
    assert_eq!(tour.ok("get deploy d -o jsonpath={.spec.replicas}"), "2");
    assert_eq!(tour.ok("get deploy d --subresource=scale -o jsonpath={.kind}{.spec.replicas}"), "Scale2");
}

#[test]
fn a_wrong_patch_is_refused_with_its_reason() {
    let Some(tour) = with_deployment("badpatch") else { return };
    has(&tour.fails("patch deploy d --type=json -p '[{\"op\":\"test\",\"path\":\"/spec/replicas\",\"value\":7}]'"), &["The request is invalid"]);
    has(
        &tour.fails("patch deploy d -p {\"spec\":{\"replicas\":-1}}"),
        &["is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0"],
    );
    has(&tour.fails("patch deploy d -p {\"spec\":{\"selector\":{\"matchLabels\":{\"app\":\"x\"}}}}"), &["is invalid", "field is immutable"]);
    has(&tour.fails("patch deploy none -p {}"), &["Error from server (NotFound): deployments.apps \"none\" not found"]);
    has(
        &tour.fails("patch deploy d -p {\"metadata\":{\"name\":\"other\"}}"),
        &["the name of the object (other) does not match the name on the URL (d)"],
    );
    has(&tour.fails("patch deploy d -p {"), &["Error from server (BadRequest): "]);
}

#[test]
fn an_editor_edits() {
    let Some(tour) = with_deployment("edit") else { return };
    let editor = tour.file("editor.sh", "#!/bin/sh\nsed -i 's/replicas: 0/replicas: 3/; s/image: nginx:1/image: nginx:9/' \"$1\"\n");
    let env = [("KUBE_EDITOR", format!("sh {editor}"))].map(|(name, value)| (name, value.leak() as &str));
    let said = tour.run("edit deployment d", "", &env);
    assert_eq!((said.code, said.stdout.as_str()), (0, "deployment.apps/d edited\n"), "{}", said.stderr);
    assert_eq!(tour.ok("get deploy d -o jsonpath={.spec.replicas}{.spec.template.spec.containers[0].image}"), "3nginx:9");
    let said = tour.run("edit deployment d", "", &env);
    has(&said.stderr, &["Edit cancelled, no changes made."]);
    let said = tour.run("edit configmap --output-patch=false none", "", &env);
    has(&said.stderr, &["configmaps \"none\" not found"]);
}

#[test]
fn labels_and_annotations_are_set_kept_and_removed() {
    let Some(tour) = with_deployment("labels") else { return };
    assert_eq!(tour.ok("label deploy d team=x"), "deployment.apps/d labeled\n");
    has(&tour.fails("label deploy d team=y"), &["already has a value (x), and --overwrite is false"]);
    assert_eq!(tour.ok("label deploy d team=y --overwrite"), "deployment.apps/d labeled\n");
    assert_eq!(tour.ok("label deploy d team=y --overwrite"), "deployment.apps/d not labeled\n");
    has(&tour.ok("label deploy d --list"), &["team=y", "app=d"]);
    assert_eq!(tour.ok("label deploy --all tier=web"), "deployment.apps/d labeled\n");
    assert_eq!(tour.ok("label deploy -l tier=web team-"), "deployment.apps/d unlabeled\n");
    assert_eq!(tour.ok("annotate deploy d note='two words'"), "deployment.apps/d annotated\n");
    assert_eq!(tour.ok("get deploy d -o jsonpath={.metadata.annotations.note}"), "two words");
    assert_eq!(tour.ok("annotate deploy d note-"), "deployment.apps/d annotated\n");
    assert_eq!(tour.ok("get deploy d -o jsonpath={.metadata.annotations.note}{.metadata.labels}"), r#"{"app":"d","tier":"web"}"#);
    has(&tour.fails("label deploy d a=b=c"), &["invalid label spec: a=b=c"]);
    let version = tour.ok("get deploy d -o jsonpath={.metadata.resourceVersion}");
    tour.ok("annotate deploy d a=b");
    has(&tour.fails(&format!("annotate deploy d a=c --overwrite --resource-version={version}")), &["(Conflict)"]);
}

#[test]
fn set_changes_templates() {
    let Some(tour) = with_deployment("set") else { return };
    assert_eq!(tour.ok("set image deploy/d nginx=nginx:2"), "deployment.apps/d image updated\n");
    assert_eq!(tour.ok("set env deploy/d A=1 B=2"), "deployment.apps/d env updated\n");
    assert_eq!(tour.ok("set env deploy/d A-"), "deployment.apps/d env updated\n");
    has(&tour.ok("set env deploy/d --list"), &["B=2"]);
    assert_eq!(tour.ok("set resources deploy d --requests=cpu=100m,memory=64Mi --limits=cpu=1"), "deployment.apps/d resource requirements updated\n");
    assert_eq!(
        tour.ok("get deploy d -o jsonpath={.spec.template.spec.containers[0].image}{.spec.template.spec.containers[0].env}{.spec.template.spec.containers[0].resources}"),
        r#"nginx:2[{"name":"B","value":"2"}]{"limits":{"cpu":"1"},"requests":{"cpu":"100m","memory":"64Mi"}}"#
    );
    tour.ok("create serviceaccount bob");
    assert_eq!(tour.ok("set serviceaccount deploy d bob"), "deployment.apps/d serviceaccount updated\n");
    assert_eq!(tour.ok("get deploy d -o jsonpath={.spec.template.spec.serviceAccountName}"), "bob");
    tour.ok("create service clusterip s --tcp=80");
    assert_eq!(tour.ok("set selector service s app=d"), "service/s selector updated\n");
    tour.ok("create rolebinding rb --clusterrole=view --user=ann");
    assert_eq!(tour.ok("set subject rolebinding rb --user=bob"), "rolebinding.rbac.authorization.k8s.io/rb subjects updated\n");
    assert_eq!(tour.ok("get rolebinding rb -o jsonpath={.subjects[*].name}"), "ann bob");
}
