//! Makes two talks comparable: what no two runs have in common becomes a placeholder.
//!
//! Replaced: the case's own names, UIDs, versions, times, ages, addresses, node names, ports that the server chose,
//! generated suffixes, continue tokens, ids of containers and what is behind the name of an image. Left out: the
//! prose that describes a table's columns, and, unless a case asks for them, managed fields.

use serde_json::{Map, Value, json};

/// The names of one case.
pub(crate) struct Normal {
    unique: String,
    namespace: String,
    hidden: Vec<(String, String)>,
}

impl Normal {
    pub(super) fn new(unique: &str) -> Self {
        Normal { unique: unique.to_owned(), namespace: format!("conformance-{unique}"), hidden: vec![] }
    }

    pub(super) fn hide(&mut self, text: &str, shown: &str) {
        self.hidden.push((text.to_owned(), shown.to_owned()));
    }

    /// Placeholders become names.
    pub(super) fn fill(&self, text: &str) -> String {
        text.replace("{ns}", &self.namespace).replace("{u}", &self.unique)
    }

    /// Names become placeholders, and so does what differs from run to run.
    pub(super) fn value(&mut self, mut value: Value, managed_fields: bool) -> Value {
        self.learn(&value);
        self.walk(&mut value, managed_fields);
        value
    }

    /// Versions and addresses turn up in messages too, later.
    fn learn(&mut self, value: &Value) {
        match value {
            Value::Array(list) => list.iter().for_each(|v| self.learn(v)),
            Value::Object(map) => {
                for (key, inner) in map {
                    match (key.as_str(), inner) {
                        ("generateName", Value::String(prefix)) => {
                            let name = map.get("name").and_then(Value::as_str).unwrap_or_default();
                            let common = name.bytes().zip(prefix.bytes()).take(58).take_while(|(a, b)| a == b).count();
                            if common == prefix.len().min(58) && name.len() == common + 5 {
                                let shown = format!("{}<{} generated>", &name[..common], name.len() - common);
                                self.hidden.push((name.to_owned(), self.text(&shown)));
                            }
                        }
                        (_, inner) => self.learn(inner),
                    }
                }
            }
            _ => {}
        }
    }

    fn walk(&self, value: &mut Value, managed_fields: bool) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(list) => list.iter_mut().for_each(|v| self.walk(v, managed_fields)),
            Value::Object(map) => {
                if !managed_fields {
                    map.remove("managedFields");
                }
                if let Some(Value::Array(entries)) = map.get_mut("managedFields") {
                    in_order(entries);
                }
                if map.contains_key("priority") && map.contains_key("format") {
                    map.remove("description");
                }
                self.walk_map(map, managed_fields);
            }
            _ => {}
        }
    }

    fn walk_map(&self, map: &mut Map<String, Value>, managed_fields: bool) {
        let entries = std::mem::take(map);
        for (key, mut inner) in entries {
            match (key.as_str(), &mut inner) {
                ("resourceVersion", Value::String(v)) if !v.is_empty() && *v != "0" => inner = json!("<version>"),
                ("continue", Value::String(v)) if !v.is_empty() => inner = json!("<continue>"),
                // A node's, where it runs on the machine itself.
                ("hostIP" | "ip", Value::String(v)) if v == "127.0.0.1" => inner = json!("<address>"),
                ("imageID", Value::String(v)) if !v.is_empty() => inner = json!("<image>"),
                ("nodePort", Value::Number(_)) => inner = json!("<port>"),
                // Also where a case records only these, under their pointer.
                (key, Value::Array(cells)) if key == "cells" || key.ends_with("/cells") => cells.iter_mut().for_each(|c| self.cell(c)),
                (_, inner) => self.walk(inner, managed_fields),
            }
            map.insert(self.text(&key), inner);
        }
    }

    fn cell(&self, cell: &mut Value) {
        self.walk(cell, false);
        let age = |t: &str| t.strip_suffix('s').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        if cell.as_str().is_some_and(age) {
            *cell = json!("<age>");
        }
    }

    fn text(&self, text: &str) -> String {
        let mut text = text.replace(&self.namespace, "{ns}").replace(&self.unique, "{u}");
        for (name, shown) in &self.hidden {
            text = text.replace(name, shown);
        }
        for node in ["sandbox-node-0", "real-node", "node-0", "node-1", "node-2"] {
            text = text.replace(node, "<node>");
        }
        for (shape, shown) in SHAPES {
            text = replaced(&text, shape, shown);
        }
        text
    }
}

/// The real server sorts managers by second first, and which writes share one differs from run to run.
fn in_order(entries: &mut [Value]) {
    let of = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    entries.sort_by_key(|entry| ["operation", "manager", "subresource", "apiVersion"].map(|key| of(entry, key)));
}

/// A launcher's conditions have two writers, virt-controller and the kubelet: which of them comes first differs from run to run.
pub(super) fn conditions_in_order(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                match inner {
                    // Also where a case records only these, under their pointer.
                    Value::Array(all) if key == "conditions" || key.ends_with("/conditions") => {
                        all.sort_by_key(|c| c["type"].as_str().unwrap_or_default().to_owned());
                    }
                    inner => conditions_in_order(inner),
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(conditions_in_order),
        _ => {}
    }
}

/// `x` a hexadecimal digit, `9` a decimal one, `+` some decimal digits, `&` a letter or digit, all else itself. Longer shapes come first.
const SHAPES: &[(&str, &str)] = &[
    ("containerd://xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "containerd://<id>"),
    ("start e&ec \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"", "start exec \"<id>\""),
    ("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "<uid>"),
    ("9999-99-99T99:99:99.+Z", "<time>"),
    ("9999-99-99T99:99:99Z", "<time>"),
    ("kube-api-access-&&&&&", "kube-api-access-<5 generated>"),
    ("52:54:00:xx:xx:xx", "<hardware address>"),
    ("127.96.+.+", "<address>"),
    ("127.97.+.+", "<address>"),
    ("10.240.+.+", "<address>"),
    ("10.244.+.+", "<address>"),
];

fn replaced(text: &str, shape: &str, shown: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(first) = rest.chars().next() {
        match matched(rest.as_bytes(), shape.as_bytes()) {
            Some(length) => {
                out.push_str(shown);
                rest = &rest[length..];
            }
            None => {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    out
}

/// How long the match at the beginning is.
fn matched(text: &[u8], shape: &[u8]) -> Option<usize> {
    let mut at = 0;
    for wanted in shape {
        let here = *text.get(at)?;
        match wanted {
            b'x' if here.is_ascii_hexdigit() => at += 1,
            b'&' if here.is_ascii_alphanumeric() => at += 1,
            b'9' if here.is_ascii_digit() => at += 1,
            b'+' if here.is_ascii_digit() => at += text[at..].iter().take_while(|b| b.is_ascii_digit()).count(),
            literal if *literal == here && !matches!(literal, b'+' | b'&') => at += 1,
            _ => return None,
        }
    }
    Some(at)
}

#[test]
fn what_differs_from_run_to_run_becomes_a_placeholder() {
    let mut normal = Normal::new("abcdefgh");
    let said = json!({"metadata": {"name": "w-x2z9q", "generateName": "w-", "namespace": "conformance-abcdefgh", "resourceVersion": "12", "managedFields": [],
        "uid": "0b2e7c0a-9f0e-4c3b-8c3e-1f2a3b4c5d6e", "creationTimestamp": "2026-11-21T07:06:22Z"}, "message": "w-x2z9q is at 127.96.0.12:80"});
    let shown = json!({"metadata": {"name": "w-<5 generated>", "generateName": "w-", "namespace": "{ns}", "resourceVersion": "<version>",
        "uid": "<uid>", "creationTimestamp": "<time>"}, "message": "w-<5 generated> is at <address>:80"});
    assert_eq!(normal.value(said, false), shown);
    assert_eq!(normal.fill("/api/v1/namespaces/{ns}/x-{u}"), "/api/v1/namespaces/conformance-abcdefgh/x-abcdefgh");
}
