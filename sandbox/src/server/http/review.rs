//! Reviews: answered at once, nothing is stored. The one token may do everything.

use serde_json::{Value, json};

use super::reply::{self, Reply};
use super::request::Request;
use crate::machinery::registry::Kind;
use crate::machinery::status::{Answer, Refusal};

pub(crate) fn answer(kind: &Kind, request: &Request) -> Answer<Reply> {
    if request.method != http::Method::POST {
        return Err(Refusal::method());
    }
    let mut object = request.object(&kind.kind)?;
    object["kind"] = json!(kind.kind);
    object["apiVersion"] = json!(kind.api_version());
    object["status"] = status(kind);
    Ok(reply::json(201, &object))
}

fn status(kind: &Kind) -> Value {
    match kind.kind.as_str() {
        "SelfSubjectReview" => json!({"userInfo": {"username": "sandbox-admin", "groups": ["system:masters", "system:authenticated"]}}),
        "SelfSubjectRulesReview" => json!({"incomplete": false, "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}]}),
        _ => json!({"allowed": true, "reason": "the sandbox has one user, who may do everything"}),
    }
}
