//! KubeVirt's subresources (`PUT .../virtualmachines/NAME/start`), as declared in `stages/calls.yaml`.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::scene::Scene;
use super::stage::{When, parse};
use super::steps::write;
use crate::error::Error;
use crate::machinery::notation::value::list;
use crate::machinery::status::{Answer, Refusal};
use crate::node::host::Host;
use crate::server::http::behind::Aggregated;
use crate::server::http::reply::{self, Reply};
use crate::server::{cluster::Write, store::Key};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    on: String,
    call: String,
    #[serde(default = "put")]
    method: String,
    code: u16,
    /// Refusals are a 500 of bare text.
    #[serde(default)]
    bare: bool,
    #[serde(default)]
    refuse: Vec<Refuse>,
    #[serde(default)]
    effects: Vec<Effect>,
    /// The body of the answer; none where there is none.
    #[serde(default)]
    answer: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refuse {
    when: When,
    /// A text with `${path}`s.
    #[serde(default)]
    why: String,
    /// 404 says that the machine has no instance.
    #[serde(default = "conflict")]
    code: u16,
}

/// What a call changes: the object, the first one of a table that it owns, or by creating another.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Effect {
    #[serde(default)]
    when: When,
    #[serde(default)]
    patch: Value,
    /// The table of the object to patch, if it isn't the one that was called.
    #[serde(default)]
    of: Option<String>,
    /// The patch is to the status subresource.
    #[serde(default)]
    status: bool,
    #[serde(default)]
    create: Option<Create>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    table: String,
    object: Value,
}

fn put() -> String {
    "PUT".to_owned()
}

fn conflict() -> u16 {
    409
}

/// The declared calls.
pub(crate) struct Actions {
    host: Arc<Host>,
    calls: Vec<Call>,
}

impl Actions {
    pub(crate) fn load(host: Arc<Host>) -> Result<Self, Error> {
        Ok(Actions { host, calls: parse("calls", include_str!("stages/calls.yaml"))? })
    }
}

impl Aggregated for Actions {
    fn call(&self, method: &Method, path: &[&str], body: &Bytes) -> Answer<Reply> {
        let &["namespaces", namespace, plural @ ("virtualmachines" | "virtualmachineinstances"), name, verb] = path else {
            return match path {
                ["version"] => Ok(reply::json(200, &json!({"gitVersion": "v1.8.0+sandbox", "platform": "linux/amd64"}))),
                [] => Ok(reply::json(
                    200,
                    &json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "subresources.kubevirt.io/v1", "resources": []}),
                )),
                _ => Ok(reply::text(401, format!("unknown api endpoint: /apis/subresources.kubevirt.io/v1/{}", path.join("/")))),
            };
        };
        let table = format!("{plural}.kubevirt.io");
        let Some(call) = self.calls.iter().find(|c| c.on == table && c.call == verb) else {
            return Ok(reply::text(404, "404: Page Not Found"));
        };
        if method.as_str() != call.method {
            return Ok(reply::text(405, "405: Method Not Allowed"));
        }
        match call.carry_out(&self.host, &Key::new(namespace, name), parse_body(body)?) {
            Err(refusal) if call.bare => Ok(reply::text(500, refusal.message)),
            Err(refusal) => Err(refusal),
            Ok(()) if call.answer.is_null() => Ok(reply::empty(call.code)),
            Ok(()) => Ok(reply::json(call.code, &call.answer)),
        }
    }
}

impl Call {
    fn carry_out(&self, host: &Host, key: &Key, body: Value) -> Answer<()> {
        let singular = self.on.split('.').next().unwrap_or_default().trim_end_matches('s');
        let Some(entry) = host.cluster.lister().get(&self.on, key) else { return Err(missing(singular, &key.name)) };
        let dry = !list(&body, "dryRun").is_empty();
        let mut scene = Scene::new(host, &entry);
        scene.body = body;
        if let Some(refuse) = self.refuse.iter().find(|r| scene.matches(&r.when)) {
            return Err(refused(refuse.code, scene.words(&refuse.why), singular, &key.name));
        }
        let effects: Vec<&Effect> = self.effects.iter().filter(|e| !dry && scene.matches(&e.when)).collect();
        effects.into_iter().try_for_each(|effect| effect.carry_out(&scene, &self.on, key))
    }
}

impl Effect {
    fn carry_out(&self, scene: &Scene<'_>, table: &str, key: &Key) -> Answer<()> {
        let write = Write::by("virt-api").to(if self.status { "status" } else { "" });
        if let Some(create) = &self.create {
            let kind = scene.cluster.kind(&create.table)?;
            scene.cluster.create(&kind, &key.namespace, scene.fill(&create.object), &write)?;
        }
        if self.patch.is_null() {
            return Ok(());
        }
        let (table, key) = match &self.of {
            None => (table, key.clone()),
            Some(table) => match scene.children(table).first() {
                Some(child) => (table.as_str(), child.key.clone()),
                None => return Ok(()),
            },
        };
        write::merge(scene, table, &key, &scene.fill(&self.patch), &write)
    }
}

fn parse_body(body: &Bytes) -> Answer<Value> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    let wrong = |e: &dyn std::fmt::Display| Refusal::bad_request(format!("Can not unmarshal Request body to struct, error: {e}"));
    match serde_json::from_slice(body).map_err(|e| wrong(&e))? {
        body @ (Value::Object(_) | Value::Null) => Ok(body),
        _ => Err(wrong(&"the options are no object")),
    }
}

fn missing(singular: &str, name: &str) -> Refusal {
    let details = json!({"name": name, "group": "kubevirt.io", "kind": singular});
    Refusal::new(404, "NotFound", format!("{singular}.kubevirt.io {name:?} not found")).with_details(details)
}

fn refused(code: u16, why: String, singular: &str, name: &str) -> Refusal {
    match code {
        400 => Refusal::bad_request(why),
        404 => missing("virtualmachineinstance", name),
        500 => Refusal::internal(why),
        _ => {
            let message = format!("Operation cannot be fulfilled on {singular}.kubevirt.io {name:?}: {why}");
            let details = json!({"name": name, "group": "kubevirt.io", "kind": singular});
            Refusal::new(code, "Conflict", message).with_details(details)
        }
    }
}
