//! Strategic merge patch: like a JSON merge patch, but lists with a merge key are merged element by element, and
//! directives say otherwise: `$patch: delete|replace|merge`, `$deleteFromPrimitiveList/FIELD`,
//! `$setElementOrder/FIELD`, `$retainKeys`.

use serde_json::{Map, Value, json};

use crate::machinery::registry::schema::{Field, Shape};

/// A patch that can't be merged.
#[derive(Debug, PartialEq)]
pub(crate) enum Refused {
    /// The patch is malformed, and the real server says whose fault that is.
    Malformed(&'static str),
    /// The patch is malformed, and the real server blames itself.
    Unmergeable(String),
}

type Merged<T = ()> = Result<T, Refused>;

const ORDER: &str = "$setElementOrder/";
const DELETE: &str = "$deleteFromPrimitiveList/";

/// Merges a patch into an object of a type.
pub(crate) fn merge(shape: &Shape, object: &mut Value, patch: &Value) -> Merged {
    let (Value::Object(map), Value::Object(patch)) = (&mut *object, patch) else {
        *object = patch.clone();
        return Ok(());
    };
    *map = merge_maps(shape, std::mem::take(map), patch)?;
    Ok(())
}

fn merge_maps(shape: &Shape, mut map: Map<String, Value>, patch: &Map<String, Value>) -> Merged<Map<String, Value>> {
    match patch.get("$patch").map(|p| p.as_str().unwrap_or_default()) {
        None => {}
        Some("replace") => return Ok(patch.iter().filter(|(k, _)| *k != "$patch").map(|(k, v)| (k.clone(), v.clone())).collect()),
        Some("delete") => return Ok(Map::new()),
        // So it is with the real one: the directive is taken for nonsense as well.
        Some(other) => return Err(unknown_type(other, patch)),
    }
    retain_keys(&mut map, patch)?;
    for (key, order) in patch {
        let Some(name) = key.strip_prefix(ORDER) else { continue };
        let order = order.as_array().ok_or_else(|| mistyped(order))?;
        set_order(shape, &mut map, name, order, patch.get(name))?;
    }
    for (key, value) in patch {
        if key.starts_with(ORDER) || key == "$retainKeys" || patch.contains_key(&format!("{ORDER}{key}")) {
            continue;
        }
        if let Some(name) = key.strip_prefix(DELETE) {
            delete_scalars(&mut map, name, value);
        } else if value.is_null() {
            map.remove(key);
        } else {
            merge_field(shape, &mut map, key, value)?;
        }
    }
    Ok(map)
}

fn field<'s>(shape: &'s Shape, name: &str) -> (&'s Shape, Option<&'static str>) {
    let declared: Option<&Field> = shape.structure().and_then(|s| s.fields.get(name));
    declared.map_or((shape.inner(), None), |f| (&f.shape, f.patch))
}

fn merge_field(shape: &Shape, map: &mut Map<String, Value>, name: &str, value: &Value) -> Merged {
    let (inner, key) = field(shape, name);
    let merged = match (map.remove(name), value) {
        (Some(Value::Object(old)), Value::Object(new)) => Some(Value::Object(merge_maps(inner, old, new)?)),
        (Some(Value::Array(old)), Value::Array(new)) if key.is_some() => Some(Value::Array(merge_list(inner, key.unwrap_or_default(), old, new)?)),
        (Some(Value::Array(_)), Value::Array(new)) => Some(Value::Array(new.clone())),
        (_, value) => plain(value, true),
    };
    map.extend(merged.map(|value| (name.to_owned(), value)));
    Ok(())
}

/// A patch's value where there is nothing to merge into: without directives, and without nulls where these delete.
fn plain(value: &Value, drop_nulls: bool) -> Option<Value> {
    match value {
        Value::Object(map) if map.contains_key("$patch") => None,
        Value::Object(map) => {
            let kept = map.iter().filter(|(_, v)| !(drop_nulls && v.is_null()));
            Some(Value::Object(kept.filter_map(|(k, v)| plain(v, drop_nulls).map(|v| (k.clone(), v))).collect()))
        }
        Value::Array(list) => Some(Value::Array(list.iter().filter_map(|v| plain(v, drop_nulls)).collect())),
        other => Some(other.clone()),
    }
}

fn merge_list(list: &Shape, key: &str, old: Vec<Value>, new: &[Value]) -> Merged<Vec<Value>> {
    if old.iter().chain(new).any(|e| !e.is_object()) {
        return merge_scalars(old, new);
    }
    let (old, new) = special(key, old, new)?;
    let original = old.clone();
    let mut out = old;
    for value in &new {
        if value.get(key).is_none() {
            return Err(keyless(value, key));
        }
        let found = out.iter().position(|e| e.get(key) == value.get(key));
        match (found.map(|at| out[at].take()), value.as_object()) {
            (Some(Value::Object(there)), Some(patch)) => {
                let merged = merge_maps(list.inner(), there, patch)?;
                out[found.unwrap_or_default()] = Value::Object(merged);
            }
            _ => out.push(value.clone()),
        }
    }
    arrange(key, out, &new, &original)
}

/// Scalars are put together without repeats.
fn merge_scalars(old: Vec<Value>, new: &[Value]) -> Merged<Vec<Value>> {
    if old.iter().chain(new).any(|e| e.is_object() || e.is_array()) {
        return Err(Refused::Unmergeable("list element types are not identical".to_owned()));
    }
    let mut out: Vec<Value> = Vec::new();
    for value in old.iter().chain(new) {
        if !out.contains(value) {
            out.push(value.clone());
        }
    }
    arrange("", out, new, &old)
}

/// Follows the elements of a patch that are directives; what is left of both lists.
fn special(key: &str, mut old: Vec<Value>, new: &[Value]) -> Merged<(Vec<Value>, Vec<Value>)> {
    let (mut rest, mut replace) = (Vec::new(), false);
    for value in new {
        match value.get("$patch").map(|p| p.as_str().unwrap_or_default()) {
            None => rest.push(value.clone()),
            Some("delete") => match value.get(key) {
                Some(name) => old.retain(|e| e.get(key) != Some(name)),
                None => return Err(keyless(value, key)),
            },
            Some("replace") => replace = true,
            Some("merge") => return Err(Refused::Unmergeable("merging lists cannot yet be specified in the patch".to_owned())),
            Some(other) => return Err(unknown_type(other, value.as_object().unwrap_or(&Map::new()))),
        }
    }
    Ok(if replace { (rest, Vec::new()) } else { (old, rest) })
}

fn set_order(shape: &Shape, map: &mut Map<String, Value>, name: &str, order: &[Value], patch: Option<&Value>) -> Merged {
    let (inner, key) = field(shape, name);
    let key = key.unwrap_or_default();
    let merge_key = if key == "*" { "" } else { key };
    let typed = |value: Option<&Value>| value.map_or(Ok(None), |v| v.as_array().cloned().map(Some).ok_or_else(|| mistyped(v)));
    let (old, new) = (typed(map.get(name))?, typed(patch)?);
    if let Some(new) = &new {
        in_order(new, order, merge_key)?;
    }
    let merged = match (&old, &new) {
        (None, None) => return Ok(()),
        (Some(old), None) => old.clone(),
        (None, Some(new)) => new.iter().filter_map(|v| plain(v, false)).collect(),
        (Some(_), Some(new)) if key.is_empty() => new.clone(),
        (Some(old), Some(new)) => merge_list(inner, merge_key, old.clone(), new)?,
    };
    let arranged = arrange(merge_key, merged, order, &old.unwrap_or_default())?;
    map.insert(name.to_owned(), Value::Array(arranged));
    Ok(())
}

/// The patch's elements must stand in the order that it asks for.
fn in_order(patch: &[Value], order: &[Value], key: &str) -> Merged {
    let plain: Vec<&Value> = patch.iter().filter(|e| e.get("$patch").is_none()).collect();
    let mut wanted = order.iter();
    let all = plain.iter().all(|e| wanted.any(|o| same(key, e, o)));
    if all {
        return Ok(());
    }
    let why = format!("The order in patch list:\n{}\n doesn't match $setElementOrder list:\n{}\n", json!(plain), json!(order));
    Err(Refused::Unmergeable(why))
}

fn same(key: &str, a: &Value, b: &Value) -> bool {
    if key.is_empty() { a == b } else { a.get(key).is_some() && a.get(key) == b.get(key) }
}

/// The elements that the order names, in that order; the others where they stood among them on the server.
fn arrange(key: &str, merged: Vec<Value>, order: &[Value], server: &[Value]) -> Merged<Vec<Value>> {
    if let Some(element) = merged.iter().find(|e| !key.is_empty() && e.get(key).is_none()) {
        return Err(keyless(element, key));
    }
    let place = |list: &[Value], e: &Value| list.iter().position(|o| same(key, o, e));
    let (mut named, mut others): (Vec<Value>, Vec<Value>) = merged.into_iter().partition(|e| place(order, e).is_some());
    named.sort_by_key(|e| place(order, e));
    others.sort_by_key(|e| place(server, e));
    let (mut named, mut others) = (named.into_iter().peekable(), others.into_iter().peekable());
    let mut out = Vec::new();
    loop {
        let first = match (named.peek(), others.peek()) {
            (None, None) => return Ok(out),
            (Some(n), Some(o)) => !matches!((place(server, n), place(server, o)), (Some(n), Some(o)) if o < n),
            (n, _) => n.is_some(),
        };
        out.extend(if first { named.next() } else { others.next() });
    }
}

fn delete_scalars(map: &mut Map<String, Value>, field: &str, gone: &Value) {
    if let (Some(Value::Array(list)), Some(gone)) = (map.get_mut(field), gone.as_array()) {
        list.retain(|e| !gone.contains(e));
    }
}

fn retain_keys(map: &mut Map<String, Value>, patch: &Map<String, Value>) -> Merged {
    const WRONG: Refused = Refused::Malformed("invalid patch format of retainKeys");
    let Some(keys) = patch.get("$retainKeys") else { return Ok(()) };
    let keys = keys.as_array().ok_or(WRONG)?;
    let listed = |name: &str| keys.iter().any(|k| k == name);
    if patch.iter().any(|(name, value)| !value.is_null() && !name.starts_with('$') && !listed(name)) {
        return Err(WRONG);
    }
    map.retain(|name, _| listed(name));
    Ok(())
}

fn keyless(element: &Value, key: &str) -> Refused {
    Refused::Unmergeable(format!("map: {} does not contain declared merge key: {key}", element))
}

fn unknown_type(kind: &str, map: &Map<String, Value>) -> Refused {
    Refused::Unmergeable(format!("unknown patch type: {kind} in map: {}", json!(map)))
}

fn mistyped(value: &Value) -> Refused {
    Refused::Unmergeable(format!("expected a list, but received {value}"))
}
