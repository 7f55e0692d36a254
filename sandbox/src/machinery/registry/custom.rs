//! Kinds that CustomResourceDefinitions declare. Of a definition we use names, scope, served versions, the status and
//! scale subresources, printer columns, selectable fields and fields ([`structural`], [`crate::machinery::crd`]); conversion and validation rules in CEL
//! we do not.

use std::sync::Arc;

use serde_json::Value;

use super::columns::{Cell, Column};
use super::jsonpath::JsonPath;
use super::kind::Kind;
use super::{columns, structural};
use crate::machinery::crd::{Rules, names};
use crate::machinery::notation::value::{at, list, text};

/// The kinds of one definition that got its names: one for each served version.
pub(crate) fn kinds(definition: &Value) -> Vec<Kind> {
    let Some(spec) = at(definition, "spec").filter(|_| names::is_established(definition)) else { return vec![] };
    list(spec, "versions").iter().filter(|v| v["served"] == true).map(|v| kind(definition, spec, v)).collect()
}

fn kind(definition: &Value, spec: &Value, version: &Value) -> Kind {
    let words = |path: &str| list(spec, path).iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let kind = text(spec, "names.kind");
    let singular = text(spec, "names.singular");
    let subresources = ["status", "scale"].iter().filter(|s| at(version, &format!("subresources.{s}")).is_some());
    Kind {
        group: text(spec, "group").to_owned(),
        version: text(version, "name").to_owned(),
        plural: text(spec, "names.plural").to_owned(),
        singular: if singular.is_empty() { kind.to_lowercase() } else { singular.to_owned() },
        kind: kind.to_owned(),
        short: words("names.shortNames"),
        categories: words("names.categories"),
        namespaced: text(spec, "scope") == "Namespaced",
        subresources: subresources.map(|s| (*s).to_owned()).collect(),
        fields: list(version, "selectableFields").iter().map(|f| text(f, "jsonPath").trim_start_matches('.').to_owned()).collect(),
        columns: printer_columns(version),
        custom: true,
        review: false,
        computed: false,
        generation: true,
        stored_as: None,
        versioned: list(spec, "versions").len() > 1,
        shape: structural::root(version),
        rules: Some(Arc::new(Rules::of(definition, version))),
    }
}

fn printer_columns(version: &Value) -> Vec<Column> {
    let declared = list(version, "additionalPrinterColumns");
    if declared.is_empty() {
        return columns::of("");
    }
    let rest = declared.iter().map(|c| Column {
        name: text(c, "name").to_owned(),
        wide: c["priority"].as_i64().unwrap_or(0) > 0,
        ty: text(c, "type").to_owned(),
        format: text(c, "format").to_owned(),
        cell: Cell::Path(JsonPath::parse(text(c, "jsonPath"))),
    });
    std::iter::once(columns::name()).chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_definition_makes_a_kind_for_each_served_version() {
        let crd = json!({"status": {"conditions": [{"type": "Established", "status": "True"}]}, "spec": {"group": "example.com", "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"]},
            "versions": [
                {"name": "v1", "served": true, "subresources": {"status": {}}, "additionalPrinterColumns": [
                    {"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type=='Ready')].status"}]},
                {"name": "v0", "served": false}]}});
        let kinds = kinds(&crd);
        assert_eq!(kinds.len(), 1);
        assert_eq!(kinds[0].resource(), "widgets.example.com");
        let ready = json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        assert!(matches!(&kinds[0].columns[1].cell, Cell::Path(path) if path.first(&ready) == Some(&json!("True"))));
        assert!(kinds[0].has("status") && !kinds[0].has("scale") && kinds[0].custom);
    }
}
