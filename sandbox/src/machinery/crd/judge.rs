//! A value against a schema: types, properties, elements and combinations of schemas. Single limits are in
//! [`super::limits`].

use serde_json::{Map, Value, json};

use super::limits;
use super::schema::{Findings, Schema, field};
use crate::machinery::notation::{cause::Cause, value::list};

impl Schema {
    pub(super) fn check(&self, object: &Value, before: Option<&Value>) -> Vec<Cause> {
        self.changed(self.root(), object, before, "").causes
    }

    /// The status is judged alone: texts know paths from there, fields from the root.
    pub(super) fn check_status(&self, object: &Value, before: &Value) -> Vec<Cause> {
        let (schema, Some(status)) = (&self.root()["properties"]["status"], object.get("status")) else { return vec![] };
        let mut found = self.changed(schema, status, before.get("status"), "").causes;
        for cause in &mut found {
            let below = !matches!(cause.field.as_str(), "" | "<nil>");
            cause.field = if below { format!("status.{}", cause.field) } else { "status".to_owned() };
        }
        found
    }

    /// What did not change is not held against the writer.
    fn changed(&self, schema: &Value, value: &Value, before: Option<&Value>, path: &str) -> Findings {
        let mut found = self.judge(schema, value, before, path);
        if before == Some(value) {
            found.causes.clear();
        }
        found
    }

    fn judge(&self, schema: &Value, value: &Value, before: Option<&Value>, path: &str) -> Findings {
        let mut found = Findings::default();
        if !schema.is_object() {
            return found;
        }
        let mut take = |part: Findings| {
            found.merge(part);
            found.looked += 1;
        };
        if limits::has_type(schema) {
            take(limits::fits_type(schema, value, path));
        }
        if value.is_null() {
            take(limits::is_listed(schema, value, path));
            return found;
        }
        take(self.combine(schema, value, before, path));
        match value {
            Value::String(text) => take(limits::text(self, schema, text, path)),
            Value::Number(number) => take(limits::number(schema, number, path)),
            Value::Array(elements) => take(self.elements(schema, elements, before, path)),
            _ => {}
        }
        take(limits::is_listed(schema, value, path));
        if let Value::Object(map) = value {
            take(self.properties(schema, map, before, path));
        }
        found
    }

    fn properties(&self, schema: &Value, map: &Map<String, Value>, before: Option<&Value>, path: &str) -> Findings {
        let mut found = limits::how_many_properties(schema, map.len(), path);
        let declared = schema["properties"].as_object();
        let old = |name: &str| before.and_then(|b| b.get(name));
        for (name, inner) in map.iter().filter(|(name, _)| declared.is_none_or(|d| !d.contains_key(*name))) {
            match &schema["additionalProperties"] {
                Value::Bool(false) => {
                    let why = format!("{path}.{name} in body is a forbidden property");
                    found.add(Cause::invalid(field(path), name.as_str(), &why));
                }
                rest @ Value::Object(_) => found.merge(self.changed(rest, inner, old(name), &format!("{path}.{name}"))),
                _ => {}
            }
        }
        for (name, inner) in declared.into_iter().flatten() {
            let place = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if let Some(value) = map.get(name) {
                found.merge(self.changed(inner, value, old(name), &place));
            }
        }
        for name in list(schema, "required").iter().filter_map(Value::as_str).filter(|name| !map.contains_key(*name)) {
            found.add(Cause::required(field(&format!("{path}.{name}")), ""));
        }
        found
    }

    fn elements(&self, schema: &Value, elements: &[Value], before: Option<&Value>, path: &str) -> Findings {
        let mut found = Findings::passed();
        for (index, element) in elements.iter().enumerate() {
            let old = same_element(schema, element, before);
            found.merge(self.changed(&schema["items"], element, old, &format!("{path}[{index}]")));
        }
        found.merge(limits::how_many_elements(schema, elements, path));
        found
    }

    fn combine(&self, schema: &Value, value: &Value, before: Option<&Value>, path: &str) -> Findings {
        let mut found = Findings::passed();
        let each = |name: &str| list(schema, name).iter().map(|inner| self.judge(inner, value, before, path)).collect::<Vec<_>>();
        let complain = |found: &mut Findings, what: String| found.add(Cause::invalid("<nil>", "", &format!("{} must {what}", json!(path))));
        let any = each("anyOf");
        if !any.is_empty() && !any.iter().any(Findings::is_fine) {
            complain(&mut found, "validate at least one schema (anyOf)".to_owned());
        }
        found.merge(nearest(any));
        let one = each("oneOf");
        let fitting = one.iter().filter(|f| f.is_fine()).count();
        if !one.is_empty() && fitting != 1 {
            let how = if fitting == 0 { "Found none valid".to_owned() } else { format!("Found {fitting} valid alternatives") };
            complain(&mut found, format!("validate one and only one schema (oneOf). {how}"));
        }
        found.merge(nearest(one));
        let all = each("allOf");
        let (count, fine) = (all.len(), all.iter().filter(|f| f.is_fine()).count());
        all.into_iter().for_each(|part| found.merge(part));
        if fine != count {
            let how = if fine == 0 { ". None validated" } else { "" };
            complain(&mut found, format!("validate all the schemas (allOf){how}"));
        }
        if schema["not"].is_object() && self.judge(&schema["not"], value, before, path).is_fine() {
            complain(&mut found, "not validate the schema (not)".to_owned());
        }
        found
    }
}

/// The first alternative that fits, or else the one that got furthest.
fn nearest(alternatives: Vec<Findings>) -> Findings {
    let fits = alternatives.iter().any(Findings::is_fine);
    let mut best: Option<Findings> = None;
    for found in alternatives.into_iter().filter(|f| f.is_fine() == fits) {
        if best.as_ref().is_none_or(|b| !fits && found.looked > b.looked) {
            best = Some(found);
        }
    }
    best.unwrap_or_default()
}

/// Elements that have keys are recognized by them.
fn same_element<'v>(schema: &Value, element: &Value, before: Option<&'v Value>) -> Option<&'v Value> {
    let keys = list(schema, "x-kubernetes-list-map-keys");
    if schema["x-kubernetes-list-type"] != "map" || keys.is_empty() {
        return None;
    }
    let same = |old: &&Value| keys.iter().filter_map(Value::as_str).all(|key| old.get(key) == element.get(key));
    before?.as_array()?.iter().find(same)
}
