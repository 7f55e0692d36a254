//! One object at one version: its JSON text, and beside it what selectors and garbage collection look at.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::Value;

use super::text::Text;
use crate::machinery::notation::value::{self, at, list, plain};

/// Namespace (empty for cluster-wide objects) and name. Ordered as the real server lists: by the path that they make.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
}

impl Key {
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        Key { namespace: namespace.into(), name: name.into() }
    }

    pub(crate) fn of(object: &Value) -> Self {
        Key::new(value::text(object, "metadata.namespace"), value::text(object, "metadata.name"))
    }
}

impl Ord for Key {
    /// `a-b/x` stands before `a/x`: the separator counts as a letter.
    fn cmp(&self, other: &Self) -> Ordering {
        if self.namespace == other.namespace {
            return self.name.cmp(&other.name);
        }
        self.namespace.bytes().chain([b'/']).cmp(other.namespace.bytes().chain([b'/']))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What selectors look at.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    /// The fields that a selector may name.
    pub(crate) names: Arc<[String]>,
    /// Lines: a key, its value, the next key.
    pub(crate) labels: Arc<str>,
    /// Lines: the value of each name.
    pub(crate) fields: Arc<str>,
}

impl Index {
    fn of(names: &Arc<[String]>, object: &Value) -> Self {
        let labels = at(object, "metadata.labels").and_then(Value::as_object);
        let labels = lines(labels.into_iter().flatten().flat_map(|(k, v)| [k.clone(), plain(v)]));
        let fields = lines(names.iter().map(|name| field(object, name).map(plain).unwrap_or_default()));
        Index { names: names.clone(), labels: labels.into(), fields: fields.into() }
    }
}

/// A value of several lines can't be selected, and must not be taken for several values.
fn lines(values: impl Iterator<Item = String>) -> String {
    values.fold(String::new(), |out, value| out + &value.replace('\n', " ") + "\n")
}

/// One object at one version. Never changed once made.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) uid: Arc<str>,
    pub(crate) version: u64,
    pub(crate) deleting: bool,
    pub(crate) owners: Box<[Arc<str>]>,
    pub(crate) finalizers: Box<[Box<str>]>,
    pub(crate) index: Index,
    /// The object as JSON, on one line.
    pub(crate) text: Text,
}

impl Entry {
    /// Takes an object that already carries its version, and the fields that a selector may name. What it has in common
    /// with its former state is shared.
    pub(crate) fn new(names: &Arc<[String]>, object: &Value, version: u64, before: Option<&Entry>) -> Self {
        let text = Text::new(&serde_json::to_vec(object).unwrap_or_default());
        let mut entry = Entry::with_text(names, object, version, text);
        if let Some(before) = before.filter(|b| b.key == entry.key) {
            entry.key = before.key.clone();
            share(&mut entry.uid, &before.uid);
            share(&mut entry.index.labels, &before.index.labels);
            share(&mut entry.index.fields, &before.index.fields);
            entry.owners.iter_mut().zip(&before.owners).for_each(|(own, theirs)| share(own, theirs));
        }
        entry
    }

    /// An object that is not stored, as the answer to a dry run.
    pub(crate) fn unstored(names: &Arc<[String]>, object: &Value, version: u64) -> Self {
        Entry::new(names, object, version, None)
    }

    /// An object as a log held it.
    pub(super) fn with_text(names: &Arc<[String]>, object: &Value, version: u64, text: Text) -> Self {
        Entry {
            key: Key::of(object),
            uid: value::text(object, "metadata.uid").into(),
            version,
            deleting: at(object, "metadata.deletionTimestamp").is_some(),
            owners: list(object, "metadata.ownerReferences").iter().map(|o| value::text(o, "uid").into()).collect(),
            finalizers: list(object, "metadata.finalizers").iter().map(|f| plain(f).into()).collect(),
            index: Index::of(names, object),
            text,
        }
    }

    /// The object, parsed.
    pub(crate) fn value(&self) -> Value {
        self.text.value()
    }

    /// About what it takes in memory.
    pub(crate) fn held(&self) -> usize {
        size_of::<Entry>() + self.text.held() + self.index.fields.len() + self.index.labels.len() + 160
    }

    pub(crate) fn label(&self, key: &str) -> Option<&str> {
        let mut lines = self.index.labels.lines();
        while let (Some(k), Some(value)) = (lines.next(), lines.next()) {
            if k == key {
                return Some(value);
            }
        }
        None
    }

    /// A field for field selectors; empty when it is not set.
    pub(crate) fn field(&self, key: &str) -> &str {
        match key {
            "metadata.name" => &self.key.name,
            "metadata.namespace" => &self.key.namespace,
            _ => self.index.names.iter().position(|name| name == key).and_then(|at| self.index.fields.lines().nth(at)).unwrap_or_default(),
        }
    }
}

fn share(own: &mut Arc<str>, theirs: &Arc<str>) {
    if own == theirs {
        *own = theirs.clone();
    }
}

/// The field that a selector means. `source` of an Event is its component, as on the real server.
fn field<'o>(object: &'o Value, path: &str) -> Option<&'o Value> {
    at(object, if path == "source" { "source.component" } else { path })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_stand_in_the_order_of_their_paths() {
        let mut keys = [Key::new("a", "x"), Key::new("a-b", "x"), Key::new("a", "w"), Key::new("", "z"), Key::new("a.c", "x")];
        keys.sort();
        let paths: Vec<String> = keys.iter().map(|k| format!("{}/{}", k.namespace, k.name)).collect();
        assert_eq!(paths, ["/z", "a-b/x", "a.c/x", "a/w", "a/x"]);
    }

    #[test]
    fn labels_and_fields_are_found_and_a_line_break_hides_nothing() {
        let kind = crate::machinery::registry::Registry::builtin().of_table("pods").expect("a kind");
        let object = json!({"metadata": {"name": "p", "labels": {"a": "1", "empty": "", "b": "x\ny"}},
            "spec": {"nodeName": "one\ntwo"}, "status": {"phase": "Running"}});
        let entry = Entry::unstored(&kind.fields, &object, 1);
        assert_eq!((entry.label("a"), entry.label("empty"), entry.label("b"), entry.label("1")), (Some("1"), Some(""), Some("x y"), None));
        assert_eq!((entry.field("status.phase"), entry.field("spec.nodeName"), entry.field("other")), ("Running", "one two", ""));
        assert_eq!(entry.value(), object);
    }
}
