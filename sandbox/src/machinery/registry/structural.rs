//! The shape of a custom resource, from the structural schema of its definition: fields, list and map types, defaults.
//! What else it demands is [`crate::machinery::crd`]'s.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::schema::{Elements, Field, Key, Scalar, Shape, Struct};
use super::view::unknown_kind;
use crate::machinery::notation::value::{at, list, text};

/// The shape of the objects that a version of a definition declares.
pub(crate) fn root(version: &Value) -> Shape {
    let Some(schema) = at(version, "schema.openAPIV3Schema") else { return unknown_kind() };
    let mut root = structure(schema);
    for (name, shape) in
        [("metadata", Shape::Named("meta.ObjectMeta")), ("kind", Shape::Scalar(Scalar::Text)), ("apiVersion", Shape::Scalar(Scalar::Text))]
    {
        root.fields.insert(name.into(), plain(shape));
    }
    Shape::Inner(Arc::new(root))
}

fn declare(schema: &Value) -> Field {
    let default = schema.get("default").cloned();
    Field { shape: shape(schema), pointer: schema["nullable"] == true, always: true, patch: None, default }
}

fn plain(shape: Shape) -> Field {
    Field { shape, pointer: true, always: true, patch: None, default: None }
}

fn structure(schema: &Value) -> Struct {
    let declared = schema["properties"].as_object().into_iter().flatten();
    let mut fields: HashMap<Cow<'static, str>, Field> = declared.map(|(name, inner)| (Cow::Owned(name.clone()), declare(inner))).collect();
    if schema["x-kubernetes-embedded-resource"] == true {
        fields.entry("metadata".into()).or_insert_with(|| plain(Shape::Named("meta.ObjectMeta")));
        for name in ["apiVersion", "kind"] {
            fields.entry(name.into()).or_insert_with(|| plain(Shape::Scalar(Scalar::Text)));
        }
    }
    let rest = (schema["x-kubernetes-preserve-unknown-fields"] == true).then_some(Shape::Any);
    Struct { fields, rest, ..Struct::default() }
}

fn shape(schema: &Value) -> Shape {
    let shape = match text(schema, "type") {
        _ if schema["x-kubernetes-int-or-string"] == true => Shape::Scalar(Scalar::IntOrText),
        "object" => match at(schema, "additionalProperties") {
            Some(inner) if inner.is_object() => Shape::Map(Box::new(self::shape(inner))),
            Some(Value::Bool(true)) => Shape::Any,
            _ if schema["x-kubernetes-preserve-unknown-fields"] == true && schema["properties"].is_null() => Shape::Any,
            _ => Shape::Inner(Arc::new(structure(schema))),
        },
        "array" => Shape::List(Box::new(at(schema, "items").map_or(Shape::Any, self::shape)), elements(schema)),
        "string" => Shape::Scalar(Scalar::Text),
        "integer" | "number" => Shape::Scalar(Scalar::Float),
        "boolean" => Shape::Scalar(Scalar::Flag),
        _ => Shape::Any,
    };
    if schema["x-kubernetes-map-type"] == "atomic" { Shape::Atomic(Box::new(shape)) } else { shape }
}

fn elements(schema: &Value) -> Elements {
    match text(schema, "x-kubernetes-list-type") {
        "set" => Elements::Set,
        "map" => {
            let default = |key: &str| schema["items"]["properties"][key].get("default").cloned();
            let keys = list(schema, "x-kubernetes-list-map-keys").iter().filter_map(Value::as_str);
            Elements::Keyed(keys.map(|k| Key { name: Cow::Owned(k.to_owned()), default: default(k) }).collect())
        }
        _ => Elements::Atomic,
    }
}
