//! Deleting: by name, label and file, with every cascade, with and without waiting.

use super::tour::{Tour, has};

fn maps(tour: &Tour, names: &[&str]) {
    for name in names {
        tour.ok(&format!("create configmap {name}"));
        tour.ok(&format!("label cm {name} mine=yes"));
    }
}

#[test]
fn objects_go_by_name_label_file_and_all() {
    let Some(tour) = Tour::begin("delete") else { return };
    maps(&tour, &["a", "b", "c", "d", "e"]);
    has(&tour.ok("delete cm a"), &["configmap \"a\" deleted"]);
    has(&tour.ok("delete cm b --dry-run=server"), &["configmap \"b\" deleted", "(server dry run)"]);
    has(&tour.ok_with("delete -f -", "{apiVersion: v1, kind: ConfigMap, metadata: {name: b}}"), &["configmap \"b\" deleted"]);
    has(&tour.ok("delete cm --field-selector=metadata.name=c"), &["configmap \"c\" deleted"]);
    assert_eq!(tour.ok("delete cm -l mine=yes -o name"), "configmap/d\nconfigmap/e\n");
    maps(&tour, &["f"]);
    has(&tour.ok("delete cm --all"), &["configmap \"f\" deleted"]);
    has(&tour.fails("delete cm a"), &["Error from server (NotFound): configmaps \"a\" not found"]);
    assert_eq!(tour.ok("delete cm a --ignore-not-found"), "");
    has(&tour.ok("delete cm -l mine=yes"), &["No resources found"]);
}

#[test]
fn cascades_take_leave_or_wait_for_the_children() {
    let Some(tour) = Tour::begin("cascade") else { return };
    for (name, cascade) in [("back", "background"), ("fore", "foreground"), ("orph", "orphan")] {
        tour.ok(&format!("create deployment {name} --image=nginx --replicas=2"));
        tour.ok(&format!("rollout status deploy/{name} --timeout=180s"));
        has(&tour.ok(&format!("delete deploy {name} --cascade={cascade} --timeout=180s")), &[&format!("deployment.apps \"{name}\" deleted")]);
        let sets = tour.ok(&format!("get rs -l app={name} -o name"));
        match cascade {
            "foreground" => assert_eq!(sets, "", "gone before their owner"),
            "orphan" => assert_eq!(tour.ok(&format!("get rs -l app={name} -o jsonpath={{.items[*].metadata.ownerReferences}}")), "", "{sets}"),
            _ => {}
        }
        if cascade != "orphan" {
            tour.until(&format!("get rs,pods -l app={name} -o name"), str::is_empty);
        }
    }
    assert_eq!(tour.ok("get rs -l app=orph -o name").lines().count(), 1);
    tour.ok("delete rs -l app=orph --timeout=180s");
    tour.until("get pods -o name", str::is_empty);
}

#[test]
fn a_finalizer_holds_until_it_is_taken_away() {
    let Some(tour) = Tour::begin("finalizer") else { return };
    let held = "{apiVersion: v1, kind: ConfigMap, metadata: {name: h, finalizers: [example.com/hold, example.com/other]}}";
    tour.ok_with("create -f -", held);
    has(&tour.ok("delete cm h --wait=false"), &["configmap \"h\" deleted"]);
    has(&tour.fails("delete cm h --timeout=1s"), &["timed out waiting for the condition on configmaps/h"]);
    let removal = "patch cm h --type=json -p '[{\"op\":\"test\",\"path\":\"/metadata/finalizers/0\",\"value\":\"example.com/hold\"},{\"op\":\"remove\",\"path\":\"/metadata/finalizers/0\"}]'";
    tour.ok(removal);
    assert_eq!(tour.ok("get cm h -o jsonpath={.metadata.finalizers}"), r#"["example.com/other"]"#);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| tour.ok("wait --for=delete cm/h --timeout=180s"));
        tour.ok("patch cm h --type=merge -p {\"metadata\":{\"finalizers\":null}}");
        waiting.join().expect("it ends");
    });
    tour.fails("get cm h");
}

#[test]
fn a_pod_goes_gracefully_or_at_once() {
    let Some(tour) = Tour::begin("grace") else { return };
    for name in ["p", "q", "r"] {
        tour.ok(&format!("run {name} --image=nginx"));
    }
    tour.ok("wait pod p q r --for=condition=Ready --timeout=180s");
    has(&tour.ok("delete pod p --timeout=180s"), &["pod \"p\" deleted"]);
    has(&tour.ok("delete pod q --now --timeout=180s"), &["pod \"q\" deleted"]);
    let said = tour.run("delete pod r --force --grace-period=0 --timeout=180s", "", &[]);
    assert_eq!(said.code, 0, "{said:?}");
    has(&said.stdout, &["pod \"r\" force deleted"]);
    has(&said.stderr, &["Immediate deletion does not wait"]);
    assert_eq!(tour.ok("get pods -o name"), "");
}

#[test]
fn a_namespace_takes_everything_with_it() {
    let Some(tour) = Tour::begin("namespace") else { return };
    let other = format!("{}-x", tour.namespace());
    tour.ok(&format!("create ns {other}"));
    tour.until(&format!("-n {other} get sa default -o name --ignore-not-found"), |name| !name.is_empty());
    tour.ok(&format!("-n {other} create deployment d --image=nginx"));
    tour.ok(&format!("-n {other} create secret generic s --from-literal=a=b"));
    tour.ok(&format!("-n {other} rollout status deploy/d --timeout=180s"));
    has(&tour.ok(&format!("delete ns {other} --timeout=80s")), &[&format!("namespace \"{other}\" deleted")]);
    has(&tour.fails(&format!("get ns {other}")), &["(NotFound)"]);
    has(&tour.ok(&format!("-n {other} get all,secrets -o name --ignore-not-found")), &[]);
    has(&tour.fails(&format!("-n {other} create configmap c")), &[&format!("namespaces \"{other}\" not found")]);
    has(&tour.fails("delete ns kube-system"), &["namespaces \"kube-system\" is forbidden: this namespace may not be deleted"]);
}
