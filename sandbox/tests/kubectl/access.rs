//! Who I am and what I may.

use super::tour::{Tour, has};

#[test]
fn the_one_user_may_do_everything() {
    let Some(tour) = Tour::begin("access") else { return };
    assert_eq!(tour.ok("auth can-i create pods"), "yes\n");
    assert_eq!(tour.ok("auth can-i '*' '*' -A"), "yes\n");
    assert_eq!(tour.ok("auth can-i get /version"), "yes\n");
    assert_eq!(tour.ok("auth can-i delete deployments.apps/d --subresource=scale"), "yes\n");
    has(&tour.ok("auth can-i --list"), &["Resources ", "Non-Resource URLs", "*.*", "[*]"]);
    let who = tour.ok("auth whoami");
    has(&who, &["ATTRIBUTE", "Username", "Groups", "system:authenticated"]);
    has(&tour.ok("auth whoami -o json"), &["\"kind\": \"SelfSubjectReview\"", "\"username\": "]);
}

#[test]
fn a_wrong_token_is_refused() {
    let Some(tour) = Tour::begin("token") else { return };
    tour.ok("config set-credentials wrong --token=wrong");
    let server = tour.ok("config view --minify -o jsonpath={.clusters[0].name}");
    tour.ok(&format!("config set-context wrong --cluster={server} --user=wrong"));
    has(&tour.fails("--context=wrong get pods"), &["error: You must be logged in to the server"]);
    has(&tour.fails("--context=wrong create cm c"), &["error: failed to create configmap: Unauthorized"]);
}

#[test]
fn roles_are_reconciled_from_a_file() {
    let Some(tour) = Tour::begin("reconcile") else { return };
    let role = |verbs: &str| {
        format!(
            "{{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {{name: r, namespace: {}}}, rules: [{{apiGroups: [''], resources: [pods], verbs: [{verbs}]}}]}}",
            tour.namespace()
        )
    };
    has(&tour.ok_with("auth reconcile -f -", &role("get")), &["role.rbac.authorization.k8s.io/r reconciled"]);
    tour.ok_with("auth reconcile -f -", &role("list"));
    assert_eq!(tour.ok("get role r -o jsonpath={.rules[*].verbs}"), r#"["get"] ["list"]"#);
}
