//! A stub of OpenAPI v3, made from the registry: enough for kubectl to see that `fieldValidation` and `dryRun` are
//! known. There are no schemas; `kubectl explain` needs them and doesn't work. Of OpenAPI v2 there is an empty document,
//! which kubectl asks for when v3 lacks a kind, before it says that it knows no such kind.

use bytes::Bytes;
use http::header;
use serde_json::{Map, Value, json};

use super::reply::{self, Reply};
use super::request::Request;
use crate::machinery::VERSION;
use crate::machinery::registry::{Kind, Registry};
use crate::machinery::status::Answer;

pub(crate) fn index(registry: &Registry) -> Reply {
    let mut paths = Map::new();
    for (group, version) in registry.versions() {
        let path = root(&group, &version);
        let url = format!("/openapi/v3{path}");
        paths.insert(path.trim_start_matches('/').to_owned(), json!({"serverRelativeURL": url}));
    }
    reply::json(200, &json!({"paths": paths}))
}

pub(crate) fn document(registry: &Registry, group: &str, version: &str) -> Answer<Reply> {
    let kinds: Vec<_> = registry.kinds().iter().filter(|k| k.group == group && k.version == version).collect();
    if kinds.is_empty() {
        return Ok(reply::empty(404));
    }
    let mut paths = Map::new();
    for kind in kinds {
        let base = format!("{}/{}{}", root(group, version), if kind.namespaced { "namespaces/{namespace}/" } else { "" }, kind.plural);
        paths.insert(base.clone(), json!({"post": operation(kind, "post")}));
        if !kind.review && !kind.computed {
            paths.insert(
                format!("{base}/{{name}}"),
                json!({"put": operation(kind, "put"), "patch": operation(kind, "patch"), "delete": operation(kind, "delete")}),
            );
        }
    }
    Ok(reply::json(
        200,
        &json!({"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": VERSION}, "paths": paths, "components": {"schemas": {}}}),
    ))
}

/// Field 1 (`swagger`) of the document's protobuf message: `2.0`.
const EMPTY_V2: &[u8] = b"\x0a\x032.0";
/// How clients ask for it, and how it is answered: `@` is not allowed in a media type, and Go's parser refuses it.
const PROTOBUF_V2_ASKED: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
const PROTOBUF_V2: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

pub(crate) fn second(request: &Request) -> Reply {
    if request.header(header::ACCEPT).contains(PROTOBUF_V2_ASKED) {
        return reply::bytes(200, PROTOBUF_V2, Bytes::from_static(EMPTY_V2));
    }
    reply::json(200, &json!({"swagger": "2.0", "info": {"title": "Kubernetes", "version": VERSION}, "paths": {}, "definitions": {}}))
}

fn root(group: &str, version: &str) -> String {
    if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") }
}

fn operation(kind: &Kind, action: &str) -> Value {
    let parameter = |name: &str| json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}});
    json!({"x-kubernetes-action": action, "x-kubernetes-group-version-kind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "parameters": [parameter("dryRun"), parameter("fieldManager"), parameter("fieldValidation")], "responses": {"200": {"description": "OK"}}})
}
