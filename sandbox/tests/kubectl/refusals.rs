//! What goes wrong, and the exit codes and texts that tell it. Of what the sandbox never does, the refusal must be clear.

use super::tour::{Tour, has};

#[test]
fn wrong_input_is_refused_with_its_reason() {
    let Some(tour) = Tour::begin("wrong") else { return };
    has(&tour.fails("get nonsense"), &["error: the server doesn't have a resource type \"nonsense\""]);
    has(&tour.fails("get pod none"), &["Error from server (NotFound): pods \"none\" not found"]);
    has(
        &tour.fails_with("create -f -", "{apiVersion: v1, kind: Nonsense, metadata: {name: x}}"),
        &["no matches for kind \"Nonsense\" in version \"v1\""],
    );
    has(&tour.fails_with("create -f -", "{apiVersion: v9, kind: Pod, metadata: {name: x}}"), &["no matches for kind \"Pod\" in version \"v9\""]);
    has(
        &tour.fails_with("create -f -", "{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {containers: []}}"),
        &["The Pod \"x\" is invalid: spec.containers: Required value"],
    );
    has(
        &tour.fails_with("create -f -", "{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {containers: [{name: a}]}}"),
        &["spec.containers[0].image: Required value"],
    );
    has(
        &tour.fails_with("create -f -", "{apiVersion: v1, kind: ConfigMap, data: {a: b}}"),
        &["The ConfigMap \"\" is invalid: metadata.name: Required value: name or generateName is required"],
    );
    has(
        &tour.fails_with(
            &format!("create -n {} -f -", tour.namespace()),
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: other-one}}",
        ),
        &["the namespace from the provided object \"other-one\" does not match"],
    );
    has(&tour.fails_with("create -f -", "{nonsense"), &["error"]);
    has(&tour.fails("-n no-such-namespace create cm c"), &["error: failed to create configmap: namespaces \"no-such-namespace\" not found"]);
    has(&tour.fails("get --raw /nonsense"), &["(NotFound)"]);
    assert_eq!(tour.run("wait pod/none --for=nonsense", "", &[]).code, 1);
    let generated = tour.ok_with("create -f - -o name", "{apiVersion: v1, kind: ConfigMap, metadata: {generateName: some-}}");
    has(&generated, &["configmap/some-"]);
}

#[test]
fn unknown_fields_are_refused_by_strict_validation() {
    let Some(tour) = Tour::begin("strict") else { return };
    let map = "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}, dada: {a: b}}";
    has(&tour.fails_with("create -f -", map), &["strict decoding error: unknown field \"dada\""]);
    tour.ok_with("create -f - --validate=ignore", map);
}
