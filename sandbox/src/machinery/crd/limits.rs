//! Single limits of a schema: type, range, length, pattern, format, listed values, number of elements.

use serde_json::{Number, Value, json};

use super::schema::{Findings, Schema, field};
use crate::machinery::notation::cause::Cause;
use crate::machinery::notation::value::{list, text as text_at};

fn types(schema: &Value) -> Vec<&str> {
    if schema["x-kubernetes-int-or-string"] == true {
        return vec!["integer", "string"];
    }
    Some(text_at(schema, "type")).filter(|t| !t.is_empty()).into_iter().collect()
}

pub(super) fn has_type(schema: &Value) -> bool {
    !types(schema).is_empty() || !format(schema).is_empty()
}

/// Those that the real server knows. Any other is everybody's, and so are here those of the second line, which nobody uses.
#[rustfmt::skip]
const FORMATS: &[&str] = &[
    "byte", "cidr", "date", "date-time", "datetime", "duration", "hostname", "int32", "int64", "float", "double", "ipv4", "ipv6", "uuid",
    "bsonobjectid", "creditcard", "email", "hexcolor", "isbn", "isbn10", "isbn13", "k8s-long-name", "k8s-short-name", "mac", "password", "rgbcolor", "ssn", "uri", "uuid3", "uuid4", "uuid5",
];

fn format(schema: &Value) -> &str {
    Some(text_at(schema, "format")).filter(|f| FORMATS.contains(f)).unwrap_or_default()
}

pub(super) fn fits_type(schema: &Value, value: &Value, path: &str) -> Findings {
    let (wanted, format) = (types(schema), format(schema));
    let has = |name: &str| wanted.contains(&name);
    if value.is_null() {
        return if wanted.is_empty() || schema["nullable"] == true { Findings::passed() } else { mistyped(path, &wanted.join(","), "null") };
    }
    let (found, go) = match value {
        Value::Bool(_) => ("boolean", ""),
        Value::Number(n) if n.is_i64() => ("integer", "int64"),
        Value::Number(_) => ("number", "float64"),
        Value::Array(_) => ("array", ""),
        Value::Object(_) => ("object", ""),
        Value::String(_) | Value::Null => ("string", ""),
    };
    let whole = found == "number" && has("integer") && value.as_f64().is_some_and(|f| f.fract() == 0.0);
    let fits = has(found) || whole || (found == "integer" && has("number"));
    let listed = value.is_string() || value.is_array();
    match () {
        // A value of another type is told the format that it lacks.
        () if !format.is_empty() && !listed && !fits && go != format => mistyped(path, format, go),
        () if fits || wanted.is_empty() => Findings::passed(),
        () if !format.is_empty() && listed && !has("number") && !has("integer") => Findings::passed(),
        () => mistyped(path, &wanted.join(","), found),
    }
}

/// `found` is a type, or a text that lacks the format.
fn mistyped(path: &str, wanted: &str, found: &str) -> Findings {
    let found = json!(found);
    let message = format!("Invalid value: {found}: {path} in body must be of type {wanted}: {found}");
    Findings::wrong(Cause::new("FieldValueTypeInvalid", field(path), message))
}

pub(super) fn is_listed(schema: &Value, value: &Value, path: &str) -> Findings {
    let known = list(schema, "enum");
    let same = |k: &Value| k == value || (k.is_number() && k.as_f64() == value.as_f64());
    if known.is_empty() || known.iter().any(same) {
        return Findings::default();
    }
    let known: Vec<String> = known.iter().map(|k| json!(crate::machinery::notation::value::plain(k)).to_string()).collect();
    let message = format!("Unsupported value: {value}: supported values: {}", known.join(", "));
    Findings::wrong(Cause::new("FieldValueNotSupported", field(path), message))
}

/// A text: the first of its limits that it breaks, and its format.
pub(super) fn text(compiled: &Schema, schema: &Value, text: &str, path: &str) -> Findings {
    let (length, limit) = (text.chars().count() as u64, |name: &str| schema[name].as_u64());
    let (pattern, format) = (text_at(schema, "pattern"), format(schema));
    let invalid = |why: String| Findings::wrong(Cause::invalid(field(path), text, &format!("{path} in body should {why}")));
    let mut found = match (limit("maxLength"), limit("minLength")) {
        (Some(most), _) if length > most => {
            let message = format!("Too long: may not be more than {most} byte{}", if most == 1 { "" } else { "s" });
            Findings::wrong(Cause::new("FieldValueTooLong", field(path), message))
        }
        (_, Some(least)) if length < least => invalid(format!("be at least {least} chars long")),
        _ if !compiled.matches(pattern, text) => invalid(format!("match '{pattern}'")),
        _ => Findings::default(),
    };
    if !has_format(format, text) {
        found.merge(mistyped(path, format, text));
    }
    found
}

fn has_format(format: &str, text: &str) -> bool {
    use std::net::{Ipv4Addr, Ipv6Addr};
    match format {
        "date" => text.parse::<jiff::civil::Date>().is_ok() && text.len() == 10,
        "date-time" | "datetime" => text.parse::<jiff::Timestamp>().is_ok(),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => text.split_once('/').is_some_and(|(ip, bits)| match (ip.parse::<std::net::IpAddr>(), bits.parse::<u8>()) {
            (Ok(ip), Ok(bits)) => bits <= if ip.is_ipv4() { 32 } else { 128 },
            _ => false,
        }),
        "uuid" => uuid::Uuid::try_parse(text).is_ok(),
        "byte" => base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text).is_ok(),
        _ => true,
    }
}

pub(super) fn number(schema: &Value, number: &Number, path: &str) -> Findings {
    let mut found = Findings::passed();
    let (value, float) = (Value::Number(number.clone()), number.as_f64().unwrap_or_default());
    let (kind, format) = (text_at(schema, "type"), format(schema));
    let whole = go_number(&value).as_i64();
    if kind == "integer" && whole.is_none_or(|n| format == "int32" && i32::try_from(n).is_err()) {
        let format = if format.is_empty() { "(default format)".to_owned() } else { format!("with format {format}") };
        found.add(Cause::invalid("<nil>", "", &format!("Checked value must be of type integer {format} in {path}")));
    }
    let mut invalid = |why: String| found.add(Cause::invalid(field(path), go_number(&value), &format!("{path} in body should {why}")));
    // Whole numbers are compared with whole limits.
    let limit = |name: &str| {
        let limit = schema[name].as_f64().map(|l| if number.is_i64() && name != "multipleOf" { l.trunc() } else { l })?;
        Some((limit, go_number(&json!(limit))))
    };
    if let Some((factor, shown)) = limit("multipleOf")
        && (float / factor - (float / factor).round()).abs() > 1e-9
    {
        invalid(format!("be a multiple of {shown}"));
    }
    if let Some((least, shown)) = limit("minimum") {
        match schema["exclusiveMinimum"] == true {
            true if float <= least => invalid(format!("be greater than {shown}")),
            false if float < least => invalid(format!("be greater than or equal to {shown}")),
            _ => {}
        }
    }
    if let Some((most, shown)) = limit("maximum") {
        match schema["exclusiveMaximum"] == true {
            true if float >= most => invalid(format!("be less than {shown}")),
            false if float > most => invalid(format!("be less than or equal to {shown}")),
            _ => {}
        }
    }
    found
}

/// Whole numbers are written without a fraction.
fn go_number(number: &Value) -> Value {
    match number.as_f64() {
        Some(float) if float.fract() == 0.0 && float.abs() < 1e15 => json!(float as i64),
        _ => number.clone(),
    }
}

pub(super) fn how_many_elements(schema: &Value, elements: &[Value], path: &str) -> Findings {
    let mut found = Findings::default();
    let size = elements.len();
    if let Some(least) = schema["minItems"].as_u64().filter(|least| (size as u64) < *least) {
        found.add(Cause::invalid(field(path), size, &format!("{path} in body should have at least {least} items")));
    }
    found.merge(too_many(schema, "maxItems", size, path));
    if schema["uniqueItems"] == true && elements.iter().enumerate().any(|(at, e)| elements[..at].contains(e)) {
        found.add(Cause::invalid(field(path), "", &format!("{path} in body shouldn't contain duplicates")));
    }
    found
}

pub(super) fn how_many_properties(schema: &Value, size: usize, path: &str) -> Findings {
    let mut found = Findings::default();
    if let Some(least) = schema["minProperties"].as_u64().filter(|least| (size as u64) < *least) {
        found.add(Cause::invalid(field(path), size, &format!("{path} in body should have at least {least} properties")));
    }
    found.merge(too_many(schema, "maxProperties", size, path));
    found
}

fn too_many(schema: &Value, limit: &str, size: usize, path: &str) -> Findings {
    match schema[limit].as_u64().filter(|most| (size as u64) > *most) {
        Some(most) => {
            let message = format!("Too many: {size}: must have at most {most} item{}", if most == 1 { "" } else { "s" });
            Findings::wrong(Cause::new("FieldValueTooMany", field(path), message))
        }
        None => Findings::default(),
    }
}
