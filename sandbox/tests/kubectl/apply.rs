//! Declaring: apply in both kinds, diff, kustomize, replace.

use super::tour::{Tour, has};

fn map(data: &str) -> String {
    format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: c}}, data: {data}}}")
}

fn deployment(image: &str, more: &str) -> String {
    format!(
        "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: d}}, spec: {{replicas: 1, selector: {{matchLabels: {{app: d}}}}, template: {{
        metadata: {{labels: {{app: d}}}}, spec: {{containers: [{{name: app, image: '{image}', ports: [{{containerPort: 80}}]}}{more}]}}}}}}}}"
    )
}

#[test]
fn a_client_side_apply_creates_configures_and_leaves_alone() {
    let Some(tour) = Tour::begin("apply") else { return };
    assert_eq!(tour.ok_with("apply -f -", &map("{a: b, c: d}")), "configmap/c created\n");
    assert_eq!(tour.ok_with("apply -f -", &map("{a: b, c: d}")), "configmap/c unchanged\n");
    assert_eq!(tour.ok_with("apply -f - --dry-run=server", &map("{a: z}")), "configmap/c configured (server dry run)\n");
    assert_eq!(tour.ok("get cm c -o jsonpath={.data}"), r#"{"a":"b","c":"d"}"#);
    tour.ok("patch cm c -p {\"data\":{\"theirs\":\"1\"}}");
    assert_eq!(tour.ok_with("apply -f -", &map("{a: c}")), "configmap/c configured\n");
    assert_eq!(tour.ok("get cm c -o jsonpath={.data}"), r#"{"a":"c","theirs":"1"}"#);
    assert_eq!(tour.ok_with("apply -f -", &deployment("nginx:1", ", {name: side, image: 'busybox:1'}")), "deployment.apps/d created\n");
    assert_eq!(tour.ok_with("apply -f -", &deployment("nginx:2", "")), "deployment.apps/d configured\n");
    assert_eq!(tour.ok("get deploy d -o jsonpath={.spec.template.spec.containers[*].name}/{.spec.template.spec.containers[*].image}"), "app/nginx:2");
    has(&tour.ok("apply view-last-applied deploy d"), &["image: nginx:2"]);
    assert_eq!(tour.ok_with("apply set-last-applied -f -", &deployment("nginx:2", "")), "deployment.apps/d configured\n");
}

#[test]
fn a_server_side_apply_owns_drops_conflicts_and_forces() {
    let Some(tour) = Tour::begin("ssa") else { return };
    assert_eq!(tour.ok_with("apply --server-side -f -", &map("{a: b, c: d}")), "configmap/c serverside-applied\n");
    assert_eq!(tour.ok_with("apply --server-side -f - --field-manager=other", &map("{o: '1'}")), "configmap/c serverside-applied\n");
    tour.ok_with("apply --server-side -f -", &map("{a: c}"));
    assert_eq!(tour.ok("get cm c -o jsonpath={.data}"), r#"{"a":"c","o":"1"}"#);
    let refused = tour.fails_with("apply --server-side -f - --field-manager=other", &map("{o: '1', a: z}"));
    has(&refused, &["Apply failed with 1 conflict: conflict with \"kubectl\": .data.a", "--force-conflicts"]);
    tour.ok_with("apply --server-side --force-conflicts -f - --field-manager=other", &map("{o: '1', a: z}"));
    assert_eq!(tour.ok("get cm c -o jsonpath={.data.a}"), "z");
    has(&tour.ok("get cm c -o yaml --show-managed-fields"), &["manager: other\n", "operation: Apply\n", "f:a: {}\n"]);
    tour.ok("patch cm c -p {\"data\":{\"o\":\"2\"}}");
    has(
        &tour.fails_with("apply --server-side -f - --field-manager=other", &map("{o: '3', a: z}")),
        &["conflict with \"kubectl-patch\" using v1: .data.o"],
    );
    assert_eq!(
        tour.ok_with("apply --server-side --dry-run=server --force-conflicts -f -", &map("{a: dry}")),
        "configmap/c serverside-applied (server dry run)\n"
    );
    assert_eq!(tour.ok("get cm c -o jsonpath={.data.a}"), "z");
}

#[test]
fn an_apply_moves_from_the_client_to_the_server() {
    let Some(tour) = Tour::begin("migrate") else { return };
    tour.ok_with("apply -f -", &deployment("nginx:1", ""));
    let said = tour.run("apply --server-side -f -", &deployment("nginx:2", ""), &[]);
    assert_eq!((said.code, said.stdout.as_str()), (0, "deployment.apps/d serverside-applied\n"), "{}", said.stderr);
    let managers = tour.ok("get deploy d --show-managed-fields -o jsonpath={.metadata.managedFields[*].manager}");
    assert!(!managers.contains("kubectl-client-side-apply"), "{managers}");
    tour.ok_with("apply --server-side -f -", &deployment("nginx:2", "").replace(", ports: [{containerPort: 80}]", ""));
    assert_eq!(tour.ok("get deploy d -o jsonpath={.spec.template.spec.containers[0].ports}"), "", "what is no longer declared is gone");
}

#[test]
fn what_is_no_longer_in_the_files_is_pruned() {
    let Some(tour) = Tour::begin("prune") else { return };
    let map = |name: &str| format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, labels: {{set: one}}}}}}\n---\n");
    tour.ok_with("apply -f -", &(map("stays") + &map("goes")));
    tour.ok("create cm other");
    tour.ok("label cm other set=one");
    let said = tour.ok_with("apply -f - --prune -l set=one", &map("stays"));
    assert_eq!(said, "configmap/stays unchanged\nconfigmap/goes pruned\n");
    assert_eq!(tour.ok("get cm -l set=one -o name"), "configmap/other\nconfigmap/stays\n", "only what was applied is pruned");
}

#[test]
fn a_diff_shows_the_change_and_exits_with_one() {
    let Some(tour) = Tour::begin("diff") else { return };
    tour.ok_with("apply -f -", &map("{a: b}"));
    assert_eq!(tour.ok_with("diff -f -", &map("{a: b}")), "");
    for kind in ["", "--server-side"] {
        let said = tour.run(&format!("diff {kind} --force-conflicts={} -f -", !kind.is_empty()), &map("{a: changed}"), &[]);
        assert_eq!(said.code, 1, "{said:?}");
        has(&said.stdout, &["-  a: b\n", "+  a: changed\n"]);
    }
    let said = tour.run("diff -f -", &map("{a: b}").replace("name: c", "name: fresh"), &[]);
    assert_eq!(said.code, 1, "{said:?}");
    has(&said.stdout, &["+  name: fresh\n"]);
    assert_eq!(tour.ok("get cm c -o jsonpath={.data.a}"), "b");
}

#[test]
fn a_kustomization_is_built_applied_and_deleted() {
    let Some(tour) = Tour::begin("kustomize") else { return };
    tour.file("k/map.yaml", &map("{a: b}"));
    tour.file(
        "k/kustomization.yaml",
        "resources: [map.yaml]\nnamePrefix: pre-\nlabels: [{pairs: {team: x}}]\nconfigMapGenerator: [{name: g, literals: [k=v]}]\n",
    );
    has(&tour.ok("kustomize k"), &["name: pre-c\n", "team: x\n"]);
    has(&tour.ok("apply -k k"), &["configmap/pre-c created\n", "configmap/pre-g-"]);
    assert_eq!(tour.ok("get cm -l team=x -o name").lines().count(), 2);
    has(&tour.ok("delete -k k"), &["configmap \"pre-c\" deleted"]);
}

#[test]
fn a_replace_needs_the_object_and_force_makes_it_anew() {
    let Some(tour) = Tour::begin("replace") else { return };
    has(&tour.fails_with("replace -f -", &map("{a: b}")), &["(NotFound)", "configmaps \"c\" not found"]);
    tour.ok_with("create -f -", &map("{a: b}"));
    assert_eq!(tour.ok_with("replace -f -", &map("{z: other}")), "configmap/c replaced\n");
    assert_eq!(tour.ok("get cm c -o jsonpath={.data}"), r#"{"z":"other"}"#);
    let uid = tour.ok("get cm c -o jsonpath={.metadata.uid}");
    let said = tour.ok_with("replace --force -f -", &map("{k: '1'}"));
    has(&said, &["configmap \"c\" deleted", "configmap/c replaced\n"]);
    assert_ne!(tour.ok("get cm c -o jsonpath={.metadata.uid}"), uid);
    let stale = tour.ok("get cm c -o yaml");
    tour.ok("annotate cm c a=b");
    has(
        &tour.fails_with("replace -f -", &stale),
        &["(Conflict)", "the object has been modified; please apply your changes to the latest version and try again"],
    );
}

#[test]
fn a_pod_that_cannot_change_is_made_anew_by_force() {
    let Some(tour) = Tour::begin("immutable") else { return };
    let pod = |command: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: p}}, spec: {{terminationGracePeriodSeconds: 0, containers: [{{name: app, image: 'nginx:1', command: [{command}]}}]}}}}"
        )
    };
    tour.ok_with("apply -f -", &pod("a"));
    has(&tour.fails_with("apply -f -", &pod("b")), &["The Pod \"p\" is invalid: spec: Forbidden: pod updates may not change fields other than"]);
    has(&tour.ok_with("apply --force -f -", &pod("b")), &["pod/p configured"]);
    assert_eq!(tour.ok("get pod p -o jsonpath={.spec.containers[0].command[0]}"), "b");
}
