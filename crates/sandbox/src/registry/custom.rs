//! Kinds that CustomResourceDefinitions declare. Of a definition we use names, scope, served versions, the status and
//! scale subresources, printer columns, selectable fields and fields ([`structural`]); conversion and validation rules we do not.

use serde_json::Value;

use super::{Column, Kind, columns, structural};
use crate::value::{at, list, text};

/// The kinds of one definition: one for each served version.
pub(crate) fn kinds(definition: &Value) -> Vec<Kind> {
    let Some(spec) = at(definition, "spec") else { return vec![] };
    list(spec, "versions").iter().filter(|v| v["served"] == true).map(|v| kind(spec, v)).collect()
}

fn kind(spec: &Value, version: &Value) -> Kind {
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
        fields: list(version, "selectableFields").iter().map(|f| dotted(text(f, "jsonPath"))).collect(),
        columns: printer_columns(version),
        custom: true,
        review: false,
        computed: false,
        generation: true,
        stored_as: None,
        shape: structural::root(version),
    }
}

fn printer_columns(version: &Value) -> Vec<Column> {
    let declared = list(version, "additionalPrinterColumns");
    if declared.is_empty() {
        return columns::of("");
    }
    let rest = declared.iter().map(|c| {
        let path = dotted(text(c, "jsonPath"));
        let cell = match (text(c, "type"), path.as_str()) {
            ("date", "metadata.creationTimestamp") => "$age".to_owned(),
            ("date", other) => format!("$since:{other}"),
            _ => format!("$value:{path}"),
        };
        Column { name: text(c, "name").to_owned(), wide: c["priority"].as_i64().unwrap_or(0) > 0, ty: text(c, "type").to_owned(), cell }
    });
    std::iter::once(columns::name()).chain(rest).collect()
}

/// `.status.conditions[?(@.type=="Ready")].status` as our path `status.conditions.Ready.status`; other filters stay unmatched.
fn dotted(json_path: &str) -> String {
    let mut path = json_path.trim_start_matches('.').to_owned();
    for quote in ['"', '\''] {
        let open = format!("[?(@.type=={quote}");
        let close = format!("{quote})]");
        path = path.replace(&open, ".").replace(&close, "");
    }
    path.replace("[?(@.type == \"", ".").replace("\\.", ".").replace('[', ".").replace(']', "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_definition_makes_a_kind_for_each_served_version() {
        let crd = json!({"spec": {"group": "example.com", "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"]},
            "versions": [
                {"name": "v1", "served": true, "subresources": {"status": {}}, "additionalPrinterColumns": [
                    {"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type=='Ready')].status"}]},
                {"name": "v0", "served": false}]}});
        let kinds = kinds(&crd);
        assert_eq!(kinds.len(), 1);
        assert_eq!(kinds[0].resource(), "widgets.example.com");
        assert_eq!(kinds[0].columns[1].cell, "$value:status.conditions.Ready.status");
        assert!(kinds[0].has("status") && !kinds[0].has("scale") && kinds[0].custom);
    }
}
