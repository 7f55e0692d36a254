//! Kubernetes' protobuf, inwards only: kubectl posts typed objects in this form and does not try again in JSON.
//!
//! A body is the magic `k8s\0`, then a wrapper that names version and kind, then the message itself. Field numbers are
//! in the table of types ([`types`]). Zeros that stand for absence are left for whoever brings the object into the form
//! of its type.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::machinery::registry::schema::{Number, Scalar, Shape, Struct};
use crate::machinery::status::{Answer, Refusal};
use crate::machinery::{notation::clock, registry::types};

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
    let shape = types::of_kind(&api_version, &kind);
    let declared =
        shape.as_ref().and_then(Shape::structure).ok_or_else(|| format!("no field numbers are known for {api_version} {kind}; send JSON"))?;
    let mut object = message(declared, raw, 0)?;
    object.insert("apiVersion".to_owned(), json!(api_version));
    object.insert("kind".to_owned(), json!(kind));
    Ok(Value::Object(object))
}

fn message(declared: &Struct, bytes: &[u8], depth: usize) -> Parsed<Map<String, Value>> {
    if depth > 32 {
        return Err("messages are nested too deeply".to_owned());
    }
    let mut out = Map::new();
    for field in Fields(bytes) {
        let (number, wire) = field?;
        match (declared.numbers.get(&number), wire) {
            (Some(Number::Inline(name)), Wire::Bytes(bytes)) => {
                if let Some(inner) = types::named(name) {
                    out.extend(message(inner, bytes, depth + 1)?);
                }
            }
            (Some(Number::Field(name)), wire) => {
                if let Some(field) = declared.fields.get(*name) {
                    put(&mut out, name, &field.shape, wire, depth)?;
                }
            }
            _ => {}
        }
    }
    Ok(out)
}

/// Puts one field in; of lists and maps it is one element.
fn put(out: &mut Map<String, Value>, name: &str, shape: &Shape, wire: Wire<'_>, depth: usize) -> Parsed<()> {
    match (shape, wire) {
        (Shape::Atomic(inner), _) => put(out, name, inner, wire, depth)?,
        (Shape::List(item, _), _) => {
            let element = value(item, wire, depth)?;
            if let Some(list) = out.entry(name).or_insert_with(|| json!([])).as_array_mut() {
                list.push(element);
            }
        }
        (Shape::Map(item), Wire::Bytes(bytes)) => {
            let (key, element) = entry(item, bytes, depth)?;
            if let Some(map) = out.entry(name).or_insert_with(|| json!({})).as_object_mut() {
                map.insert(key, element);
            }
        }
        _ => {
            let value = value(shape, wire, depth)?;
            if !value.is_null() {
                out.insert(name.to_owned(), value);
            }
        }
    }
    Ok(())
}

fn entry(of: &Shape, bytes: &[u8], depth: usize) -> Parsed<(String, Value)> {
    let (mut name, mut found) = (String::new(), Value::Null);
    for field in Fields(bytes) {
        match field? {
            (1, Wire::Bytes(text)) => name = utf8(text)?,
            (2, wire) => found = value(of, wire, depth)?,
            _ => {}
        }
    }
    Ok((name, if found.is_null() { json!("") } else { found }))
}

/// One value; null for what stands for absence.
fn value(shape: &Shape, wire: Wire<'_>, depth: usize) -> Parsed<Value> {
    use Scalar::{Bytes, Duration, Flag, Float, Int32, Int64, IntOrText, MicroTime, Quantity, Text, Time};
    Ok(match (shape, wire) {
        (Shape::Scalar(Text), Wire::Bytes(text)) => Value::String(utf8(text)?),
        (Shape::Scalar(Bytes), Wire::Bytes(bytes)) => json!(STANDARD.encode(bytes)),
        (Shape::Scalar(Int32 | Int64), Wire::Number(n)) => json!(n.cast_signed()),
        (Shape::Scalar(Flag), Wire::Number(n)) => json!(n != 0),
        (Shape::Scalar(Float), Wire::Double(n)) => json!(n),
        (Shape::Scalar(Time), Wire::Bytes(bytes)) => time(bytes)?,
        (Shape::Scalar(MicroTime), Wire::Bytes(bytes)) => micro_time(bytes)?,
        (Shape::Scalar(Quantity), Wire::Bytes(bytes)) => first_text(bytes, 1)?.map_or(Value::Null, Value::String),
        (Shape::Scalar(IntOrText), Wire::Bytes(bytes)) => either(bytes)?,
        (Shape::Scalar(Duration), Wire::Bytes(bytes)) => duration(bytes)?,
        (Shape::Any, Wire::Bytes(bytes)) => raw(bytes)?,
        (Shape::Named(_), Wire::Bytes(bytes)) => match shape.structure() {
            Some(inner) => Value::Object(message(inner, bytes, depth + 1)?),
            None => Value::Null,
        },
        (Shape::Atomic(inner), wire) => value(inner, wire, depth)?,
        _ => return Err("proto: wrong wireType".to_owned()),
    })
}

/// Seconds and nanoseconds since 1970, either of which may be missing.
fn instant(bytes: &[u8]) -> Parsed<Option<(i64, i64)>> {
    let (mut seconds, mut nanos) = (0, 0);
    for field in Fields(bytes) {
        match field? {
            (1, Wire::Number(n)) => seconds = n.cast_signed(),
            (2, Wire::Number(n)) => nanos = n.cast_signed(),
            _ => {}
        }
    }
    Ok((!bytes.is_empty()).then_some((seconds, nanos)))
}

fn time(bytes: &[u8]) -> Parsed<Value> {
    Ok(instant(bytes)?.map_or(Value::Null, |(seconds, _)| json!(clock::from_unix(seconds))))
}

fn micro_time(bytes: &[u8]) -> Parsed<Value> {
    let written = |(seconds, nanos): (i64, i64)| json!(format!("{}.{:06}Z", clock::from_unix(seconds).trim_end_matches('Z'), nanos / 1000));
    Ok(instant(bytes)?.map_or(Value::Null, written))
}

/// Nanoseconds, as whole seconds where they are.
fn duration(bytes: &[u8]) -> Parsed<Value> {
    for field in Fields(bytes) {
        if let (1, Wire::Number(nanos)) = field? {
            return Ok(json!(format!("{}ns", nanos.cast_signed())));
        }
    }
    Ok(json!("0s"))
}

/// JSON in a message.
fn raw(bytes: &[u8]) -> Parsed<Value> {
    for field in Fields(bytes) {
        if let (1, Wire::Bytes(text)) = field? {
            return serde_json::from_slice(text).map_err(|e| e.to_string());
        }
    }
    Ok(Value::Null)
}

/// IntOrString: a type, a number, a text.
fn either(bytes: &[u8]) -> Parsed<Value> {
    let (mut is_text, mut number, mut text) = (false, 0, String::new());
    for field in Fields(bytes) {
        match field? {
            (1, Wire::Number(n)) => is_text = n == 1,
            (2, Wire::Number(n)) => number = n.cast_signed(),
            (3, Wire::Bytes(t)) => text = utf8(t)?,
            _ => {}
        }
    }
    Ok(if is_text { json!(text) } else { json!(number) })
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
    Double(f64),
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
            1 => Wire::Double(f64::from_le_bytes(self.take(8)?.try_into().map_err(|_| "unexpected EOF".to_owned())?)),
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
        assert_eq!(
            object,
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x", "namespace": "", "labels": {"a": "b"}}, "spec": {}})
        );
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
