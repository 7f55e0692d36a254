//! Every operation of the API has a rule, and keeps it.

use std::collections::BTreeMap;

use app::{Action, Need};
use serde_json::json;

use crate::harness::Server;

#[tokio::test]
async fn every_operation_has_a_rule_and_keeps_it_for_every_role() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let document = server.anonymous().get("/openapi.json").await.expect(200);
    let mut rules: BTreeMap<&str, Need> = Action::ALL.iter().map(|action| (action.id(), action.need())).collect();
    let role = async |role: &str| server.admin.user_with(json!({"quota_cpu": 1, "quota_memory": 1, "role": role})).await.1;
    let (viewer, user) = (role("viewer").await, role("user").await);
    let anybody = server.anonymous();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let id = operation["operationId"].as_str().expect("an id");
            // Told to probes and people, without anything that is anybody's.
            if ["health", "livez", "readyz", "metrics"].contains(&id) {
                continue;
            }
            let need = rules.remove(id).unwrap_or_else(|| panic!("the operation {id} has no rule"));
            // Nothing of these ids exists: what is allowed is then not found, or not understood, and changes nothing.
            let path = path.replace("{user_id}", "999999").replace("{cluster_id}", "999999").replace("{instance_id}", "999999");
            let method: reqwest::Method = method.to_uppercase().parse().expect("a method");
            let ask = async |client: &crate::harness::Client| {
                client.send(method.clone(), &path, &[("content-type", "application/json")], None).await.status.as_u16()
            };
            let (of_nobody, of_viewer, of_user, of_admin) = (ask(&anybody).await, ask(&viewer).await, ask(&user).await, ask(&server.admin).await);
            assert_eq!(of_nobody, 401, "{id}");
            let refused = (of_viewer == 403, of_user == 403, of_admin == 403);
            let expected = match need {
                Need::Look => (false, false, false),
                Need::Change => (true, false, false),
                Need::Admin | Need::SignUp => (true, true, false),
            };
            assert_eq!(refused, expected, "{id}: {of_viewer} {of_user} {of_admin}");
        }
    }
    assert!(rules.is_empty(), "rules for operations that there are not: {rules:?}");
}
