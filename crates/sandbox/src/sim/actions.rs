//! KubeVirt's subresources (`PUT .../virtualmachines/NAME/start`), as declared in `stages/calls.yaml`.

use bytes::Bytes;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::scene::Scene;
use super::stage::{When, parse};
use crate::cluster::{Cluster, Patch, PatchOptions, Write};
use crate::error::Error;
use crate::serve::reply::{self, Reply};
use crate::status::{Answer, Refusal};
use crate::store::Key;
use crate::value::{list, number};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    on: String,
    call: String,
    code: u16,
    #[serde(default)]
    refuse: Vec<Refuse>,
    #[serde(default)]
    effects: Vec<Effect>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refuse {
    when: When,
    why: String,
    #[serde(default = "conflict")]
    code: u16,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Effect {
    #[serde(default)]
    when: When,
    patch: Value,
    /// The patch is to the status subresource.
    #[serde(default)]
    status: bool,
}

fn conflict() -> u16 {
    409
}

/// The declared calls.
#[derive(Debug)]
pub(crate) struct Actions {
    calls: Vec<Call>,
}

impl Actions {
    pub(crate) fn load() -> Result<Self, Error> {
        Ok(Actions { calls: parse("calls", include_str!("stages/calls.yaml"))? })
    }

    /// Answers a request below `/apis/subresources.kubevirt.io/VERSION/`.
    pub(crate) fn call(&self, cluster: &Cluster, method: &Method, path: &[&str], body: &Bytes) -> Answer<Reply> {
        let &["namespaces", namespace, plural @ ("virtualmachines" | "virtualmachineinstances"), name, verb] = path else {
            return match path {
                ["version"] => Ok(reply::json(200, &json!({"gitVersion": "v1.8.0+sandbox", "platform": "linux/amd64"}))),
                [] => Ok(reply::json(
                    200,
                    &json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "subresources.kubevirt.io/v1", "resources": []}),
                )),
                _ => Ok(reply::text(404, "404: Page Not Found")),
            };
        };
        let table = format!("{plural}.kubevirt.io");
        let Some(call) = self.calls.iter().find(|c| c.on == table && c.call == verb) else {
            return Ok(reply::text(404, "404: Page Not Found"));
        };
        if *method != Method::PUT {
            return Ok(reply::text(405, "405: Method Not Allowed"));
        }
        let body = parse_body(body)?;
        if number(&body, "gracePeriodSeconds").is_some_and(|grace| verb == "restart" && grace != 0) {
            return Err(Refusal::bad_request("For force restart, only gracePeriod=0 is supported for now"));
        }
        let singular = plural.trim_end_matches('s');
        let kind = cluster.kind(&table)?;
        let key = Key::new(namespace, name);
        let Some(entry) = cluster.store.get(&table, &key) else {
            let details = json!({"name": name, "group": "kubevirt.io", "kind": singular});
            return Err(Refusal::new(404, "NotFound", format!("{singular}.kubevirt.io {name:?} not found")).with_details(details));
        };
        let scene = Scene::new(cluster, &entry);
        if let Some(refuse) = call.refuse.iter().find(|r| scene.matches(&r.when)) {
            return Err(refused(refuse, singular, name));
        }
        let dry = !list(&body, "dryRun").is_empty();
        if let Some(effect) = call.effects.iter().find(|e| scene.matches(&e.when)).filter(|_| !dry) {
            let write = Write::by("virt-api").to(if effect.status { "status" } else { "" });
            let patch = Patch::Strategic(scene.fill(&effect.patch));
            cluster.patch(&kind, &key, &patch, PatchOptions { internal: true }, &write)?;
        }
        Ok(reply::empty(call.code))
    }
}

fn parse_body(body: &Bytes) -> Answer<Value> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(body).map_err(|e| Refusal::bad_request(format!("Can not unmarshal Request body to struct, error: {e}")))
}

fn refused(refuse: &Refuse, singular: &str, name: &str) -> Refusal {
    if refuse.code == 500 {
        return Refusal::internal(&refuse.why);
    }
    let message = format!("Operation cannot be fulfilled on {singular}.kubevirt.io {name:?}: {}", refuse.why);
    let details = json!({"name": name, "group": "kubevirt.io", "kind": singular});
    Refusal::new(refuse.code, "Conflict", message).with_details(details)
}
