//! Kubernetes' protobuf, inwards only: kubectl posts typed objects in this form and does not try again in JSON.
//!
//! A body is the magic `k8s\0`, then a wrapper that names version and kind, then the message itself. Field numbers are
//! in [`super::proto_fields`].

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::proto_fields::{FIELDS, Type};
use crate::clock;
use crate::status::{Answer, Refusal};

/// Decodes a whole body.
pub(crate) fn decode(body: &[u8]) -> Answer<Value> {
    decode_body(body).map_err(|why| Refusal::bad_request(format!("cannot decode the protobuf body: {why}")))
}

type Parsed<T> = Result<T, String>;

fn decode_body(body: &[u8]) -> Parsed<Value> {
    let wrapped = body.strip_prefix(b"k8s\0").ok_or("the magic number is missing")?;
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for field in Fields(wrapped) {
        match field? {
            (1, Wire::Bytes(meta)) => {
                for field in Fields(meta) {
                    match field? {
                        (1, Wire::Bytes(text)) => api_version = utf8(text)?,
                        (2, Wire::Bytes(text)) => kind = utf8(text)?,
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(inner)) => raw = inner,
            _ => {}
        }
    }
    if !FIELDS.iter().any(|(message, ..)| *message == kind) {
        return Err(format!("no field numbers are known for {api_version} {kind}; send JSON"));
    }
    let mut object = message(&kind, raw, 0)?;
    object.insert("apiVersion".to_owned(), json!(api_version));
    object.insert("kind".to_owned(), json!(kind));
    Ok(Value::Object(object))
}

fn message(name: &str, bytes: &[u8], depth: usize) -> Parsed<Map<String, Value>> {
    if depth > 32 {
        return Err("messages are nested too deeply".to_owned());
    }
    let mut out = Map::new();
    for field in Fields(bytes) {
        let (number, wire) = field?;
        let Some((_, _, key, kind)) = FIELDS.iter().find(|(m, n, ..)| *m == name && *n == number) else { continue };
        match (kind, wire) {
            (Type::Message(inner), Wire::Bytes(bytes)) if *key == "@inline" => out.extend(message(inner, bytes, depth + 1)?),
            (Type::Texts, Wire::Bytes(text)) => push(&mut out, key, json!(utf8(text)?)),
            (Type::Messages(inner), Wire::Bytes(bytes)) => push(&mut out, key, Value::Object(message(inner, bytes, depth + 1)?)),
            (Type::Map(of), Wire::Bytes(bytes)) => {
                let (name, value) = entry(of, bytes, depth)?;
                if let Some(map) = out.entry(*key).or_insert_with(|| json!({})).as_object_mut() {
                    map.insert(name, value);
                }
            }
            (kind, wire) => {
                if let Some(value) = value(kind, wire, depth)? {
                    out.insert((*key).to_owned(), value);
                }
            }
        }
    }
    Ok(out)
}

fn push(out: &mut Map<String, Value>, key: &str, value: Value) {
    if let Some(list) = out.entry(key).or_insert_with(|| json!([])).as_array_mut() {
        list.push(value);
    }
}

fn entry(of: &Type, bytes: &[u8], depth: usize) -> Parsed<(String, Value)> {
    let (mut name, mut found) = (String::new(), Value::Null);
    for field in Fields(bytes) {
        match field? {
            (1, Wire::Bytes(text)) => name = utf8(text)?,
            (2, wire) => found = value(of, wire, depth)?.unwrap_or_else(|| json!("")),
            _ => {}
        }
    }
    Ok((name, if found.is_null() { json!("") } else { found }))
}

/// One value; `None` for what stands for absence.
fn value(kind: &Type, wire: Wire<'_>, depth: usize) -> Parsed<Option<Value>> {
    Ok(match (kind, wire) {
        (Type::Text, Wire::Bytes(text)) => Some(utf8(text)?).filter(|t| !t.is_empty()).map(Value::String),
        (Type::Bytes, Wire::Bytes(bytes)) => Some(json!(STANDARD.encode(bytes))),
        (Type::Plain, Wire::Number(n)) => (n != 0).then(|| json!(n.cast_signed())),
        (Type::Flag, Wire::Number(n)) => (n != 0).then_some(Value::Bool(true)),
        (Type::Number, Wire::Number(n)) => Some(json!(n.cast_signed())),
        (Type::Truth, Wire::Number(n)) => Some(json!(n != 0)),
        (Type::Time, Wire::Bytes(bytes)) => time(bytes)?,
        (Type::Quantity, Wire::Bytes(bytes)) => first_text(bytes, 1)?.map(Value::String),
        (Type::Either, Wire::Bytes(bytes)) => either(bytes)?,
        (Type::Message(inner), Wire::Bytes(bytes)) => Some(Value::Object(message(inner, bytes, depth + 1)?)),
        _ => return Err(format!("a field is not of type {kind:?}")),
    })
}

fn time(bytes: &[u8]) -> Parsed<Option<Value>> {
    for field in Fields(bytes) {
        if let (1, Wire::Number(seconds)) = field? {
            return Ok(Some(json!(clock::from_unix(seconds.cast_signed()))));
        }
    }
    Ok(None)
}

/// IntOrString: a type, a number, a text.
fn either(bytes: &[u8]) -> Parsed<Option<Value>> {
    let (mut is_text, mut number, mut text) = (false, 0, String::new());
    for field in Fields(bytes) {
        match field? {
            (1, Wire::Number(n)) => is_text = n == 1,
            (2, Wire::Number(n)) => number = n.cast_signed(),
            (3, Wire::Bytes(t)) => text = utf8(t)?,
            _ => {}
        }
    }
    Ok(match (is_text, number) {
        (true, _) => Some(json!(text)),
        (false, 0) => None,
        (false, n) => Some(json!(n)),
    })
}

fn first_text(bytes: &[u8], number: u64) -> Parsed<Option<String>> {
    for field in Fields(bytes) {
        match field? {
            (n, Wire::Bytes(text)) if n == number => return utf8(text).map(Some),
            _ => {}
        }
    }
    Ok(None)
}

fn utf8(bytes: &[u8]) -> Parsed<String> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|e| e.to_string())
}

/// A field's value as it is on the wire.
#[derive(Debug, Clone, Copy)]
enum Wire<'b> {
    Number(u64),
    Bytes(&'b [u8]),
}

/// The fields of a message, one after the other.
struct Fields<'b>(&'b [u8]);

impl<'b> Iterator for Fields<'b> {
    type Item = Parsed<(u64, Wire<'b>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'b> Fields<'b> {
    fn field(&mut self) -> Parsed<(u64, Wire<'b>)> {
        let tag = self.varint()?;
        let wire = match tag & 7 {
            0 => Wire::Number(self.varint()?),
            1 => Wire::Bytes(self.take(8)?),
            2 => {
                let length = self.varint()?;
                Wire::Bytes(self.take(usize::try_from(length).map_err(|e| e.to_string())?)?)
            }
            5 => Wire::Bytes(self.take(4)?),
            other => return Err(format!("wire type {other} is not known")),
        };
        Ok((tag >> 3, wire))
    }

    fn varint(&mut self) -> Parsed<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first().ok_or("the message ends too early")?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number is too long".to_owned())
    }

    fn take(&mut self, count: usize) -> Parsed<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or("the message ends too early")?;
        self.0 = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2, u8::try_from(bytes.len()).expect("short")];
        out.extend_from_slice(bytes);
        out
    }

    fn body(kind: &str, raw: &[u8]) -> Vec<u8> {
        let meta = [field(1, b"v1"), field(2, kind.as_bytes())].concat();
        [b"k8s\0".to_vec(), field(1, &meta), field(2, raw)].concat()
    }

    #[test]
    fn a_namespace_and_a_secret_are_read() {
        let meta = [field(1, b"x"), field(3, b""), field(11, &[field(1, b"a"), field(2, b"b")].concat())].concat();
        let object = decode(&body("Namespace", &[field(1, &meta), field(2, b"")].concat())).expect("a namespace");
        assert_eq!(object, json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x", "labels": {"a": "b"}}, "spec": {}}));
        let data = field(2, &[field(1, b"key"), field(2, &[0, 1, 2])].concat());
        let secret = decode(&body("Secret", &data)).expect("a secret");
        assert_eq!(secret["data"], json!({"key": "AAEC"}));
    }

    #[test]
    fn nonsense_is_a_400_and_never_a_panic() {
        let whole = body("Namespace", &field(1, &field(1, b"x")));
        for length in 0..whole.len() {
            let _ = decode(&whole[..length]);
        }
        assert_eq!(decode(b"k8s\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff").expect_err("refused").code, 400);
        assert_eq!(decode(&body("Mystery", b"")).expect_err("refused").code, 400);
    }
}
