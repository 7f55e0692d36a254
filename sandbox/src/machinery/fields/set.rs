//! A set of fields of an object, in the shape of `fieldsV1`: `f:name` is a field, `k:{...}` an element of a keyed list,
//! `v:...` an element of a set, `.` the thing itself.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A set of fields below some point; `member` says whether the point itself is in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Set {
    pub(crate) member: bool,
    pub(crate) below: BTreeMap<String, Set>,
}

impl Set {
    pub(crate) fn leaf() -> Self {
        Set { member: true, below: BTreeMap::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.member && self.below.is_empty()
    }

    pub(crate) fn child(&self, key: &str) -> Option<&Set> {
        self.below.get(key)
    }

    /// Puts a child in, unless it is empty.
    pub(crate) fn insert(&mut self, key: String, child: Set) {
        if !child.is_empty() {
            self.below.insert(key, child);
        }
    }

    pub(crate) fn union(&mut self, other: &Set) {
        self.member |= other.member;
        for (key, theirs) in &other.below {
            self.below.entry(key.clone()).or_default().union(theirs);
        }
    }

    /// What is in this set and not in the other.
    pub(crate) fn minus(&self, other: &Set) -> Set {
        let mut out = Set { member: self.member && !other.member, below: BTreeMap::new() };
        for (key, ours) in &self.below {
            let rest = other.child(key).map_or_else(|| ours.clone(), |theirs| ours.minus(theirs));
            out.insert(key.clone(), rest);
        }
        out
    }

    /// What is in both.
    pub(crate) fn both(&self, other: &Set) -> Set {
        let mut out = Set { member: self.member && other.member, below: BTreeMap::new() };
        for (key, ours) in &self.below {
            if let Some(theirs) = other.child(key) {
                out.insert(key.clone(), ours.both(theirs));
            }
        }
        out
    }

    /// All members, as conflict messages print their paths: those of one level before those below it.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut out = Vec::new();
        self.collect("", &mut out);
        out
    }

    fn collect(&self, path: &str, out: &mut Vec<String>) {
        let inner = |key: &str| format!("{path}{}", printed(key));
        out.extend(self.below.iter().filter(|(_, child)| child.member).map(|(key, _)| inner(key)));
        self.below.iter().for_each(|(key, child)| child.collect(&inner(key), out));
    }

    pub(crate) fn to_value(&self) -> Value {
        let mut map = Map::new();
        if self.member && !self.below.is_empty() {
            map.insert(".".to_owned(), Value::Object(Map::new()));
        }
        for (key, child) in &self.below {
            map.insert(key.clone(), child.to_value());
        }
        Value::Object(map)
    }

    pub(crate) fn from_value(value: &Value) -> Set {
        let Some(map) = value.as_object() else { return Set::leaf() };
        let below: BTreeMap<String, Set> = map.iter().filter(|(k, _)| *k != ".").map(|(k, v)| (k.clone(), Set::from_value(v))).collect();
        Set { member: below.is_empty() || map.contains_key("."), below }
    }

    /// Reads a whole `fieldsV1`: the root is never a member.
    pub(crate) fn root(value: &Value) -> Set {
        Set { member: false, ..Set::from_value(value) }
    }
}

/// A path element as Kubernetes prints it: `.name`, `[name="x"]`, `[="x"]`.
pub(super) fn printed(key: &str) -> String {
    match key.split_once(':') {
        Some(("f", name)) => format!(".{name}"),
        Some(("k", keys)) => {
            let keys: Map<String, Value> = serde_json::from_str(keys).unwrap_or_default();
            let each: Vec<String> = keys.iter().map(|(k, v)| format!("{k}={v}")).collect();
            format!("[{}]", each.join(","))
        }
        Some(("v", value)) => format!("[={value}]"),
        _ => format!("[{key}]"),
    }
}
