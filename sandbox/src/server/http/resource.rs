//! The verbs on resources: from a request to the cluster and back.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};

use super::reply::{self, Reply};
use super::request::{As, Request};
use super::served::Served;
use super::target::Target;
use super::{list, list_options, options, review, table, watch};
use crate::machinery::notation::value::{at, number, set, text};
use crate::machinery::notation::{cause::Cause, go::go_name};
use crate::machinery::status::{Answer, Refusal, deleted};
use crate::machinery::{fields::json, registry::Kind, select::Selector};
use crate::server::cluster::{DeleteOptions, Deleted, Patch, Write, scale_of, scale_paths};
use crate::server::store::{Entry, Key, Page};

pub(crate) async fn serve(served: &Arc<Served>, target: Target, request: Request) -> Answer<Reply> {
    if !matches!(target.subresource.as_str(), "log" | "exec" | "attach") {
        request.acceptable()?;
    }
    if target.kind.review {
        return review::answer(&target.kind, &request);
    }
    if target.kind.computed && (request.method != Method::GET || request.flag("watch")) {
        return Err(Refusal::method());
    }
    match (request.method.clone(), target.name.is_empty(), target.subresource.as_str()) {
        (Method::GET, true, _) if request.flag("watch") => watch::watch(served, &target, &request),
        (Method::GET, true, _) => list::list(served, &target, &request),
        (Method::POST, true, _) => create(served, &target, &request),
        (Method::DELETE, true, _) if target.kind.deletes_collections() && target.kind.namespaced != target.namespace.is_empty() => {
            delete_all(served, &target, &request)
        }
        (Method::GET, false, "log") => served.kubelet.log(&target, &request).await,
        (_, false, "exec") => served.kubelet.exec(&target, &request),
        (_, false, "attach") => served.kubelet.attach(&target, &request),
        (Method::POST, false, "eviction") => evict(served, &target, &request),
        (Method::POST, false, "binding") => bind(served, &target, &request),
        (_, false, "scale") => scale(served, &target, &request),
        (Method::GET, false, "" | "status" | "ephemeralcontainers") => get(served, &target, &request),
        (Method::PUT, false, "" | "status" | "finalize" | "ephemeralcontainers") => update(served, &target, &request),
        (Method::PATCH, false, "" | "status" | "ephemeralcontainers") => patch(served, &target, &request),
        (Method::DELETE, false, "") => delete(served, &target, &request),
        _ => Err(Refusal::method()),
    }
}

fn key(target: &Target) -> Key {
    Key::new(&target.namespace, &target.name)
}

/// One object, in the form that was asked for.
fn one(request: &Request, kind: &Kind, code: u16, entry: &Entry) -> Answer<Reply> {
    Ok(match request.accept() {
        As::Object => {
            let mut text = Vec::with_capacity(entry.text.len());
            list::object(kind, entry, &mut text);
            reply::bytes(code, "application/json", text.into())
        }
        As::Table => {
            reply::json(code, &table::table(kind, &[entry], table::include(request)?, true, json!({"resourceVersion": entry.version.to_string()})))
        }
        As::Metadata => reply::json(code, &table::metadata(entry)),
    })
}

fn get(served: &Served, target: &Target, request: &Request) -> Answer<Reply> {
    if target.kind.computed {
        let found = served.kubelet.usage(&target.kind, &target.namespace).into_iter().find(|entry| entry.key == key(target));
        let entry = found.ok_or_else(|| Refusal::not_found(&target.kind, &target.name))?;
        return one(request, &target.kind, 200, &entry);
    }
    let asked = list_options::version(request.query("resourceVersion")).map_err(|why| Refusal::new(500, "", why))?;
    list_options::not_newer_than(served.cluster.store.version(), asked.unwrap_or(0))?;
    let entry = served.cluster.get(&target.kind, &key(target))?;
    one(request, &target.kind, 200, &entry)
}

fn create(served: &Served, target: &Target, request: &Request) -> Answer<Reply> {
    if target.kind.namespaced && target.namespace.is_empty() {
        return Err(Refusal::method());
    }
    let object = request.object(&target.kind.kind)?;
    let write = request.write("")?;
    let (kind, object) = table::to_stored(&served.cluster, &target.kind, object)?;
    let entry = served.cluster.create(&kind, &target.namespace, object, &write)?;
    told(one(request, &target.kind, 201, &entry)?, &write)
}

/// The answer with what the write left to say.
fn told(mut reply: Reply, write: &Write) -> Answer<Reply> {
    reply::tell(&mut reply, &write.warnings.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    Ok(reply)
}

fn update(served: &Served, target: &Target, request: &Request) -> Answer<Reply> {
    let object = request.object(&target.kind.kind)?;
    let write = request.write(&target.subresource)?;
    let (kind, object) = table::to_stored(&served.cluster, &target.kind, object)?;
    let entry = served.cluster.update(&kind, &key(target), object, &write)?;
    told(one(request, &target.kind, 200, &entry)?, &write)
}

fn patch(served: &Served, target: &Target, request: &Request) -> Answer<Reply> {
    let write = request.write(&target.subresource)?;
    let patch = parse_patch(request)?;
    let (kind, patch) = match (&target.kind.stored_as, patch) {
        (None, patch) => (target.kind.clone(), patch),
        (Some(_), Patch::Merge(v) | Patch::Strategic(v)) => {
            let (kind, value) = table::to_stored(&served.cluster, &target.kind, v)?;
            (kind, Patch::Merge(value))
        }
        (Some(_), patch) => (served.cluster.kind(&target.kind.table())?, patch),
    };
    let (entry, created) = served.cluster.patch(&kind, &key(target), &patch, &write)?;
    told(one(request, &target.kind, if created { 201 } else { 200 }, &entry)?, &write)
}

fn parse_patch(request: &Request) -> Answer<Patch> {
    let bad = |prefix: &'static str| move |why: String| Refusal::bad_request(format!("{prefix}{why}"));
    let decoding = "error decoding patch: ";
    match request.content_type() {
        "application/json-patch+json" => {
            let patch = request.parsed().map_err(bad(decoding))?;
            let into = |value: &Value, ty: &str| bad(decoding)(format!("json: cannot unmarshal {} into Go value of type {ty}", go_name(value)));
            match patch {
                Value::Null => Ok(Patch::Json(vec![])),
                Value::Array(operations) => match operations.iter().find(|o| !o.is_object()) {
                    Some(other) => Err(into(other, "handlers.jsonPatchOp")),
                    None => Ok(Patch::Json(operations)),
                },
                other => Err(into(&other, "[]handlers.jsonPatchOp")),
            }
        }
        "application/merge-patch+json" if &request.body()[..] == b"null" => Err(Refusal::bad_request("Invalid JSON Patch")),
        "application/merge-patch+json" => Ok(Patch::Merge(request.parsed().and_then(object_only).map_err(bad(decoding))?)),
        "application/strategic-merge-patch+json" => Ok(Patch::Strategic(request.parsed().and_then(object_only).map_err(bad(""))?)),
        "application/apply-patch+yaml" => {
            let config = request.yaml().map_err(bad("error decoding YAML: error converting YAML to JSON: "))?;
            let config = object_only(config).map_err(bad("error decoding YAML: error unmarshaling JSON: while decoding JSON: "))?;
            Ok(Patch::Apply { config, force: request.flag("force") })
        }
        _ => Err(Refusal::new(415, "UnsupportedMediaType", "415: Unsupported Media Type").with_details(json!({}))),
    }
}

/// Nothing is an object without fields.
fn object_only(value: Value) -> Result<Value, String> {
    match value {
        Value::Null => Ok(json!({})),
        Value::Object(_) => Ok(value),
        other => Err(format!("json: cannot unmarshal {} into Go value of type map[string]interface {{}}", go_name(&other))),
    }
}

fn delete(served: &Served, target: &Target, request: &Request) -> Answer<Reply> {
    let options = options::delete(request)?;
    Ok(match served.cluster.delete(&target.kind, &key(target), &options)? {
        Deleted::Waits(entry) => one(request, &target.kind, 200, &entry)?,
        // The real server returns the object of a Pod and a Status for most others.
        Deleted::Gone(entry) if target.kind.plural == "pods" => one(request, &target.kind, 200, &entry)?,
        Deleted::Gone(entry) => reply::json(200, &deleted(&target.kind, &entry.key.name, &entry.uid)),
    })
}

fn delete_all(served: &Served, target: &Target, request: &Request) -> Answer<Reply> {
    let selector = Selector::parse(&target.kind, request.query("labelSelector"), request.query("fieldSelector"))?;
    let options = options::delete(request)?;
    let entries = served.cluster.delete_all(&target.kind, &target.namespace, &selector, &options)?;
    let page = Page { entries, version: served.cluster.store.version(), left: 0 };
    let meta = json!({"resourceVersion": page.version.to_string()});
    Ok(list::objects(&target.kind, page, &meta))
}

fn evict(served: &Served, target: &Target, request: &Request) -> Answer<Reply> {
    let body = request.optional_object("Eviction")?.unwrap_or_default();
    let named = text(&body, "metadata.name");
    if !named.is_empty() && named != target.name {
        return Err(Refusal::bad_request("name in URL does not match name in Eviction object"));
    }
    let options = DeleteOptions::parse(at(&body, "deleteOptions").unwrap_or(&json!({})))?;
    served.cluster.delete(&target.kind, &key(target), &options)?;
    Ok(done())
}

fn bind(served: &Served, target: &Target, request: &Request) -> Answer<Reply> {
    let binding = request.object("Binding")?;
    let node = text(&binding, "target.name");
    if node.is_empty() {
        return Err(Refusal::new(500, "", "target.name: Required value"));
    }
    let bound = served.cluster.get(&target.kind, &key(target))?.value();
    let there = text(&bound, "spec.nodeName");
    if !there.is_empty() {
        let why = format!("pod {} is already assigned to node {there:?}", target.name);
        let named = Kind { plural: "pods/binding".to_owned(), ..target.kind.as_ref().clone() };
        return Err(Refusal::conflict(&named, &target.name, &why));
    }
    let patch = Patch::Merge(json!({"metadata": {"resourceVersion": bound["metadata"]["resourceVersion"]}, "spec": {"nodeName": node}}));
    served.cluster.patch(&target.kind, &key(target), &patch, &request.write("")?)?;
    Ok(done())
}

fn done() -> Reply {
    reply::json(201, &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}))
}

/// The number of replicas as an object of its own.
fn scale(served: &Served, target: &Target, request: &Request) -> Answer<Reply> {
    let entry = served.cluster.get(&target.kind, &key(target))?;
    let mut scale = scale_of(&target.kind, &entry.value());
    match request.method {
        Method::GET if at(&scale, "spec.replicas").is_none() => {
            let field = json!(format!(".{}", scale_paths(&target.kind).replicas));
            return Err(Refusal::internal(format!("the spec replicas field {field} does not exist")));
        }
        Method::GET => return Ok(reply::json(200, &scale)),
        Method::PUT => scale = checked_scale(request.object("Scale")?)?,
        Method::PATCH => match parse_patch(request)? {
            Patch::Json(patch) => json::patch(&mut scale, &patch).map_err(|_| Refusal::rejected())?,
            Patch::Merge(patch) | Patch::Strategic(patch) | Patch::Apply { config: patch, .. } => json_patch::merge(&mut scale, &patch),
        },
        _ => return Err(Refusal::method()),
    }
    let version = text(&scale, "metadata.resourceVersion");
    if request.method == Method::PUT && !version.is_empty() && version != entry.version.to_string() {
        return Err(Refusal::modified(&target.kind, &target.name));
    }
    let replicas = number(&scale, "spec.replicas").unwrap_or(0);
    if at(&scale, "spec.replicas").is_none() && target.kind.rules.is_some() {
        let field = json!(format!(".{}", scale_paths(&target.kind).replicas));
        return Err(Refusal::bad_request(format!("the spec replicas field {field} cannot be empty")));
    }
    if replicas < 0 && target.kind.rules.is_none() {
        let named = Kind { group: "autoscaling".to_owned(), kind: "Scale".to_owned(), ..target.kind.as_ref().clone() };
        let cause = Cause::invalid("spec.replicas", replicas, "must be greater than or equal to 0");
        return Err(Refusal::invalid(&named, &target.name, &[cause]));
    }
    let write: Write = request.write("")?;
    let mut change = json!({});
    set(&mut change, &scale_paths(&target.kind).replicas, json!(replicas));
    let patch = Patch::Merge(change);
    let mut write = write;
    write.writer.subresource = String::new();
    let (entry, _) = served.cluster.patch(&target.kind, &key(target), &patch, &write)?;
    Ok(reply::json(200, &scale_of(&target.kind, &entry.value())))
}

fn checked_scale(scale: Value) -> Answer<Value> {
    let (version, kind) = (text(&scale, "apiVersion"), text(&scale, "kind"));
    if kind.is_empty() || kind == "Scale" {
        return Ok(scale);
    }
    Err(Refusal::bad_request(format!("{kind} of {version:?} cannot be handled as a Scale")))
}
