//! Objects as their type would hold them: unknown fields are found and dropped, so is what is empty where empty is not
//! written, and parts that are always there are put in. Custom resources get their defaults instead. JSON types that
//! don't fit are errors, in the words of Go's decoder.

use serde_json::{Map, Value, json};

use crate::machinery::notation::go::go_name;
use crate::machinery::notation::quantity::{self, Quantity};
use crate::machinery::registry::schema::{Field, Scalar, Shape, Struct};

/// The object of a type that sets nothing.
pub(crate) fn empty(shape: &Shape) -> Value {
    let mut object = json!({});
    let _ = conform(shape, &mut object);
    object
}

/// Emptied, this field is a wish to end the tracking of owners.
const RESET: &str = "managedFields";

/// Brings an object into the form of its type, and tells the paths of the fields that the type doesn't have.
pub(crate) fn conform(shape: &Shape, object: &mut Value) -> Result<Vec<String>, Mismatch> {
    let mut unknown = Vec::new();
    bring(shape, object, "", &mut unknown)?;
    Ok(unknown)
}

fn bring(shape: &Shape, value: &mut Value, path: &str, found: &mut Vec<String>) -> Result<(), Mismatch> {
    let fits = match shape {
        Shape::Any => true,
        Shape::Atomic(inner) => return bring(inner, value, path, found),
        Shape::Scalar(scalar) => return plain(*scalar, value),
        Shape::List(item, _) => match &mut *value {
            Value::Array(list) => {
                for (index, element) in list.iter_mut().enumerate() {
                    bring(item, element, &format!("{path}[{index}]"), found)?;
                }
                true
            }
            other => other.is_null(),
        },
        Shape::Map(item) => match &mut *value {
            Value::Object(map) => {
                for (name, inner) in map.iter_mut() {
                    if inner.is_null() && matches!(**item, Shape::Scalar(Scalar::Text)) {
                        *inner = json!("");
                    }
                    bring(item, inner, &below(path, name), found)?;
                    if let Some(quantity) = Quantity::of(inner).filter(|_| matches!(**item, Shape::Scalar(Scalar::Quantity))) {
                        *inner = json!(quantity.round_up().to_string());
                    }
                }
                true
            }
            other => other.is_null(),
        },
        Shape::Named(_) | Shape::Inner(_) => match (shape.structure(), &mut *value) {
            (Some(declared), Value::Object(map)) => {
                structure(declared, map, path, found)?;
                true
            }
            (_, other) => other.is_null(),
        },
    };
    if fits { Ok(()) } else { Err(Mismatch::new(shape, value)) }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn structure(declared: &Struct, map: &mut Map<String, Value>, path: &str, found: &mut Vec<String>) -> Result<(), Mismatch> {
    let builtin = !declared.name.is_empty();
    let root = path.is_empty();
    let unknown: Vec<String> = map
        .keys()
        .filter(|name| {
            declared.rest.is_none() && !declared.fields.contains_key(name.as_str()) && !(root && matches!(name.as_str(), "apiVersion" | "kind"))
        })
        .cloned()
        .collect();
    for name in unknown {
        map.remove(&name);
        found.push(below(path, &name));
    }
    for (name, field) in &declared.fields {
        let name = name.as_ref();
        let nothing = map.get(name).is_none_or(Value::is_null);
        let lacking = nothing && !(field.pointer && map.contains_key(name));
        if let Some(default) = field.default.as_ref().filter(|_| lacking) {
            map.insert(name.to_owned(), default.clone());
        } else if !builtin && lacking {
            map.remove(name);
        } else if builtin && nothing {
            map.remove(name);
            map.extend(when_absent(field).map(|value| (name.to_owned(), value)));
        }
        let Some(value) = map.get_mut(name) else { continue };
        let path = below(path, name);
        if builtin {
            bring(&field.shape, value, &path, found).map_err(|wrong| wrong.under(declared, name))?;
        } else if let Err(wrong) = bring(&field.shape, value, &path, found)
            && root
            && name == "metadata"
        {
            // All else of a custom resource is judged by its definition, see `crate::machinery::crd`.
            return Err(wrong);
        }
        let hollow = builtin && !field.always && !field.pointer && is_zero(&field.shape, value) && name != RESET;
        if hollow {
            map.remove(name);
        }
    }
    Ok(())
}

/// What Go writes for a field that nothing was said of.
fn when_absent(field: &Field) -> Option<Value> {
    match &field.shape {
        Shape::Named(_) if !field.pointer => Some(json!({})),
        Shape::Scalar(scalar) if field.always && !field.pointer => match scalar {
            Scalar::Text | Scalar::Duration => Some(json!("")),
            Scalar::Int32 | Scalar::Int64 | Scalar::IntOrText | Scalar::Float => Some(json!(0)),
            Scalar::Flag => Some(json!(false)),
            Scalar::Quantity => Some(json!("0")),
            Scalar::Bytes | Scalar::Time | Scalar::MicroTime => Some(Value::Null),
        },
        _ if field.always => Some(Value::Null),
        _ => None,
    }
}

fn is_zero(shape: &Shape, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty() && !matches!(shape, Shape::Named(_) | Shape::Any),
    }
}

fn plain(scalar: Scalar, value: &mut Value) -> Result<(), Mismatch> {
    let fits = match scalar {
        Scalar::Text | Scalar::Bytes | Scalar::Time | Scalar::MicroTime | Scalar::Duration => value.is_string(),
        Scalar::Int32 => value.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
        Scalar::Int64 => value.is_i64(),
        Scalar::Float => value.is_number(),
        Scalar::Flag => value.is_boolean(),
        Scalar::Quantity | Scalar::IntOrText => value.is_string() || value.is_number(),
    };
    if scalar == Scalar::Float && value.as_f64().is_some_and(|f| f.fract() == 0.0 && f.abs() < 1e15) {
        // Go writes no fraction that is none.
        *value = json!(value.as_f64().unwrap_or_default() as i64);
    }
    if scalar == Scalar::Quantity && !value.is_null() {
        let read = if fits { Quantity::parse(&crate::machinery::notation::value::plain(value)) } else { Err(quantity::MALFORMED) };
        *value = json!(read.map_err(Mismatch::worded)?.to_string());
    }
    if fits || value.is_null() { Ok(()) } else { Err(Mismatch::new(&Shape::Scalar(scalar), value)) }
}

/// A value of the wrong JSON type.
#[derive(Debug)]
pub(crate) struct Mismatch {
    /// The innermost type with the field, and the fields that lead there, from the inside.
    owner: &'static str,
    names: Vec<String>,
    found: &'static str,
    wanted: String,
    /// What the type itself says of the value.
    words: Option<&'static str>,
}

impl Mismatch {
    fn new(shape: &Shape, value: &Value) -> Self {
        Mismatch { owner: "", names: Vec::new(), found: go_name(value), wanted: go_type(shape), words: None }
    }

    fn worded(words: &'static str) -> Self {
        Mismatch { owner: "", names: Vec::new(), found: "", wanted: String::new(), words: Some(words) }
    }

    fn under(mut self, declared: &Struct, name: &str) -> Self {
        if self.owner.is_empty() {
            self.owner = declared.name.rsplit('.').next().unwrap_or_default();
        }
        self.names.push(name.to_owned());
        self
    }

    /// In the words of Go's JSON decoder.
    pub(crate) fn decoding(&self) -> String {
        if let Some(words) = self.words {
            return words.to_owned();
        }
        let path: Vec<&str> = self.names.iter().rev().map(String::as_str).collect();
        if path.is_empty() {
            return format!("json: cannot unmarshal {} into Go value of type {}", self.found, self.wanted);
        }
        format!("json: cannot unmarshal {} into Go struct field {}.{} of type {}", self.found, self.owner, path.join("."), self.wanted)
    }
}

/// The type as Go prints it.
fn go_type(shape: &Shape) -> String {
    match shape {
        Shape::Scalar(Scalar::Text) => "string".to_owned(),
        Shape::Scalar(Scalar::Int32) => "int32".to_owned(),
        Shape::Scalar(Scalar::Int64) => "int64".to_owned(),
        Shape::Scalar(Scalar::Float) => "float64".to_owned(),
        Shape::Scalar(Scalar::Flag) => "bool".to_owned(),
        Shape::Scalar(Scalar::Bytes) => "[]uint8".to_owned(),
        Shape::Scalar(_) => "string".to_owned(),
        Shape::Any => "interface {}".to_owned(),
        Shape::List(inner, _) => format!("[]{}", go_type(inner)),
        Shape::Map(inner) => format!("map[string]{}", go_type(inner)),
        Shape::Atomic(inner) => go_type(inner),
        Shape::Named(name) => format!("v1.{}", name.rsplit('.').next().unwrap_or(name)),
        Shape::Inner(_) => "map[string]interface {}".to_owned(),
    }
}
