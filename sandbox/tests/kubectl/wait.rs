//! Waiting: for conditions, fields, creation and deletion.

use super::skip::skip;
use super::tour::{Tour, has};

#[test]
fn waits_end_when_what_they_wait_for_is_there() {
    let Some(tour) = Tour::begin("wait") else { return };
    tour.ok("run p --image=nginx");
    assert_eq!(tour.ok("wait --for=condition=Ready pod/p --timeout=180s"), "pod/p condition met\n");
    assert_eq!(tour.ok("wait --for=condition=Ready=true pod --all --timeout=180s"), "pod/p condition met\n");
    assert_eq!(tour.ok("wait --for=jsonpath={.status.phase}=Running pod/p --timeout=180s"), "pod/p condition met\n");
    assert_eq!(tour.ok("wait --for=jsonpath={.status.podIP} pod/p --timeout=180s"), "pod/p condition met\n");
    std::thread::scope(|scope| {
        tour.ok("create cm late");
        let gone = scope.spawn(|| tour.ok("wait --for=delete pod/p cm/late --timeout=180s"));
        tour.ok("delete pod/p cm/late");
        gone.join().expect("it ends");
    });
    tour.ok("create deployment d --image=nginx");
    tour.ok("wait deploy/d --for=condition=Available --timeout=180s");
    tour.ok(&format!("wait ns/{} --for=jsonpath={{.status.phase}}=Active --timeout=180s", tour.namespace()));
}

#[test]
fn a_wait_for_creation_ends_with_it() {
    let Some(tour) = Tour::begin("creation") else { return };
    if !tour.kubectl_has(31) {
        skip("this kubectl cannot wait for a creation");
        return;
    }
    std::thread::scope(|scope| {
        let created = scope.spawn(|| tour.ok("wait --for=create cm/late --timeout=180s"));
        tour.ok("create cm late");
        assert_eq!(created.join().expect("it ends"), "configmap/late condition met\n");
    });
    assert_eq!(tour.ok("wait --for=create cm/late --timeout=180s"), "configmap/late condition met\n");
}

#[test]
fn a_wait_in_vain_ends_with_one() {
    let Some(tour) = Tour::begin("vain") else { return };
    tour.ok("create cm c");
    has(&tour.fails("wait --for=jsonpath={.data.x}=y cm/c --timeout=1s"), &["timed out waiting for the condition on configmaps/c"]);
    has(&tour.fails("wait --for=condition=Ready pod/none --timeout=1s"), &["pods \"none\" not found"]);
    has(&tour.fails("wait --for=delete cm/c --timeout=1s"), &["timed out waiting for the condition on configmaps/c"]);
    assert_eq!(tour.ok("wait --for=delete cm/none --timeout=1s"), "");
}
