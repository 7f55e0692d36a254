//! Sets of fields from values: all that a configuration sets, and how two objects differ.

use serde_json::{Map, Value};

use super::set::Set;
use crate::machinery::registry::schema::{Elements, Shape};
use crate::machinery::registry::view::{Members, View, element_key};

/// How one value differs from another.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    pub(crate) added: Set,
    pub(crate) modified: Set,
    pub(crate) removed: Set,
}

impl Comparison {
    /// What the newer value sets that the older doesn't, or sets otherwise.
    pub(crate) fn set(&self) -> Set {
        let mut set = self.added.clone();
        set.union(&self.modified);
        set
    }

    fn insert(&mut self, key: String, inner: Comparison) {
        self.added.insert(key.clone(), inner.added);
        self.modified.insert(key.clone(), inner.modified);
        self.removed.insert(key, inner.removed);
    }
}

/// Null counts as an empty map or list.
pub(super) fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

/// The elements of a list under their keys, in order, equal keys together. `None` where one can't be told apart.
pub(crate) fn elements<'v>(told: &Elements, value: &'v Value) -> Option<Groups<'v>> {
    let mut out: Groups<'v> = Vec::new();
    for element in value.as_array().into_iter().flatten() {
        let key = element_key(told, element)?;
        match out.iter_mut().find(|(k, _)| *k == key) {
            Some((_, same)) => same.push(element),
            None => out.push((key, vec![element])),
        }
    }
    Some(out)
}

/// The fields that a value sets: leaves, list elements and the keys of maps.
pub(crate) fn fields(shape: &Shape, value: &Value) -> Set {
    let mut set = Set::default();
    match shape.view(value) {
        View::Leaf => set.member = true,
        View::Map(members) => {
            for (name, inner) in value.as_object().into_iter().flatten() {
                let mut below = fields(members.shape(name), inner);
                let hollow = inner.is_null() || inner.as_object().is_some_and(Map::is_empty);
                below.member |= hollow || !members.is_named(name);
                set.insert(format!("f:{name}"), below);
            }
        }
        View::List(item, told) => {
            for (key, same) in elements(told, value).unwrap_or_default() {
                let mut below = if let [one] = same[..] { fields(item, one) } else { Set::default() };
                below.member = true;
                set.insert(key, below);
            }
        }
    }
    set
}

/// How `new` differs from `old`; what is in an added or removed part counts as well as the part itself.
pub(crate) fn compare(shape: &Shape, old: Option<&Value>, new: Option<&Value>) -> Comparison {
    let mut out = Comparison::default();
    let Some(present) = new.or(old) else { return out };
    if old == new {
        return out;
    }
    let both_empty = old.is_none_or(is_empty) && new.is_none_or(is_empty);
    let other_kind = matches!((old, new), (Some(a), Some(b)) if !a.is_null() && !b.is_null() && a.is_object() != b.is_object());
    match shape.view(present) {
        View::Map(members) if !both_empty && !other_kind => maps(members, old, new, &mut out),
        View::List(item, told) if !both_empty => {
            let keyed = |value: Option<&'_ Value>| value.is_none_or(|v| elements(told, v).is_some());
            if !keyed(old) || !keyed(new) {
                out.modified.member = true;
                return out;
            }
            lists(item, told, old, new, &mut out);
        }
        _ => {
            out.added.member = old.is_none();
            out.removed.member = new.is_none();
            out.modified.member = old.is_some() && new.is_some();
            return out;
        }
    }
    out.added.member |= old.is_none();
    out.removed.member |= new.is_none();
    out
}

fn maps(members: Members<'_>, old: Option<&Value>, new: Option<&Value>, out: &mut Comparison) {
    let (old, new) = (old.and_then(Value::as_object), new.and_then(Value::as_object));
    for (name, now) in new.into_iter().flatten() {
        out.insert(format!("f:{name}"), compare(members.shape(name), old.and_then(|m| m.get(name)), Some(now)));
    }
    for (name, was) in old.into_iter().flatten().filter(|(name, _)| new.is_none_or(|m| !m.contains_key(*name))) {
        out.insert(format!("f:{name}"), compare(members.shape(name), Some(was), None));
    }
}

/// Elements that share a key are compared as one.
fn lists(item: &Shape, told: &Elements, old: Option<&Value>, new: Option<&Value>, out: &mut Comparison) {
    let (old, new) = (grouped(told, old), grouped(told, new));
    let none = Vec::new();
    let keys = old.iter().chain(new.iter().filter(|(k, _)| find(&old, k).is_none())).map(|(key, _)| key);
    for key in keys {
        let (was, now) = (find(&old, key).unwrap_or(&none), find(&new, key).unwrap_or(&none));
        let mut inner = compare(item, only(was), only(now));
        let (many_before, many_now) = (was.len() > 1, now.len() > 1);
        inner.modified.member |= many_before && many_now && was != now;
        inner.removed.member |= many_before && !many_now;
        inner.added.member |= many_now && !many_before;
        out.insert(key.clone(), inner);
    }
}

fn only<'v>(same: &[&'v Value]) -> Option<&'v Value> {
    if let [one] = same { Some(one) } else { None }
}

type Groups<'v> = Vec<(String, Vec<&'v Value>)>;

fn grouped<'v>(told: &Elements, value: Option<&'v Value>) -> Groups<'v> {
    value.and_then(|v| elements(told, v)).unwrap_or_default()
}

fn find<'g, 'v>(groups: &'g Groups<'v>, key: &str) -> Option<&'g Vec<&'v Value>> {
    groups.iter().find(|(k, _)| k == key).map(|(_, same)| same)
}
