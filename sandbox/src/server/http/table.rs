//! Objects in other forms: Tables, metadata only, and kinds that are stored as another kind.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::cells;
use super::request::Request;
use crate::machinery::notation::value::at;
use crate::machinery::registry::{Column, Kind, columns::Cell};
use crate::machinery::status::{Answer, Refusal};
use crate::server::cluster::{Cluster, value_as};
use crate::server::store::Entry;

/// The fields of core Events and what events.k8s.io calls them.
const EVENT_FIELDS: &[(&str, &str)] = &[
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
];

/// The object as this kind shows it.
pub(crate) fn object(kind: &Kind, entry: &Entry) -> Value {
    let value = value_as(kind, entry);
    if kind.stored_as.is_none() { value } else { renamed(value, &kind.api_version(), |(core, other)| (core, other)) }
}

/// The kind that stores an object, and the object as that kind has it.
pub(crate) fn to_stored(cluster: &Cluster, kind: &Arc<Kind>, object: Value) -> Answer<(Arc<Kind>, Value)> {
    if kind.stored_as.is_none() {
        return Ok((kind.clone(), object));
    }
    let stored = cluster.kind(&kind.table())?;
    let version = stored.api_version();
    Ok((stored, renamed(object, &version, |(core, other)| (other, core))))
}

fn renamed(value: Value, version: &str, way: fn(&(&'static str, &'static str)) -> (&'static str, &'static str)) -> Value {
    let Value::Object(map) = value else { return value };
    let rename = |name: String| EVENT_FIELDS.iter().map(way).find(|(from, _)| *from == name).map_or(name, |(_, to)| to.to_owned());
    let mut out: Map<String, Value> = map.into_iter().map(|(name, value)| (rename(name), value)).collect();
    out.insert("apiVersion".to_owned(), json!(version));
    Value::Object(out)
}

/// Nothing but the metadata.
pub(crate) fn metadata(entry: &Entry) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": entry.value()["metadata"]})
}

/// A Table of some objects; `include` says what each row carries of its object.
pub(crate) fn table(kind: &Kind, entries: &[&Entry], include: &str, columns: bool, meta: Value) -> Value {
    let rows: Vec<Value> = entries.iter().map(|entry| row(kind, entry, include)).collect();
    let columns: Vec<Value> = if columns { kind.columns.iter().map(definition).collect() } else { vec![] };
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "columnDefinitions": columns, "rows": rows})
}

/// What each row shall carry of its object.
pub(crate) fn include(request: &Request) -> Answer<&str> {
    match request.query("includeObject") {
        known @ ("" | "None" | "Metadata" | "Object") => Ok(known),
        other => {
            let why = format!("includeObject: Invalid value: {other:?}: must be 'Metadata', 'Object', 'None', or empty");
            Err(Refusal::bad_request(format!("Unable to convert to Table as requested: {why}")))
        }
    }
}

/// A bookmark for a watch of Tables.
pub(crate) fn bookmark(meta: Value) -> Value {
    let object = json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta});
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": meta["resourceVersion"]}, "columnDefinitions": [],
        "rows": [{"cells": [], "object": object}]})
}

fn row(kind: &Kind, entry: &Entry, include: &str) -> Value {
    let value = object(kind, entry);
    let cells: Vec<Value> = kind.columns.iter().map(|column| cells::cell(&value, column)).collect();
    match include {
        "None" => json!({"cells": cells, "object": null}),
        "Object" => json!({"cells": cells, "object": value}),
        _ => json!({"cells": cells, "object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": slim(&value)}}),
    }
}

/// Rows need names, labels and times; who owns which field would double their size.
fn slim(value: &Value) -> Value {
    let mut meta = at(value, "metadata").cloned().unwrap_or_default();
    if let Some(map) = meta.as_object_mut() {
        map.remove("managedFields");
    }
    meta
}

fn definition(column: &Column) -> Value {
    let is_name = matches!(&column.cell, Cell::Builtin(cell) if cell == "metadata.name");
    let format = if is_name { "name" } else { &column.format };
    json!({"name": column.name, "type": column.ty, "format": format, "description": "", "priority": i32::from(column.wide)})
}
