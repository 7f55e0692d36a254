//! A schema of OpenAPI as data, and what is found wrong by it. Who judges is [`super::judge`].
//!
//! Schemas are read as they stand in the definition. `$ref`, `definitions` and the like are refused in definitions.

use std::collections::HashMap;

use regex::Regex;
use serde_json::Value;

use crate::machinery::notation::cause::Cause;

/// A schema, ready to judge values.
#[derive(Debug, Default)]
pub(super) struct Schema {
    root: Value,
    /// Compiled once; what is no expression in Rust's dialect matches everything.
    patterns: HashMap<String, Regex>,
}

/// What was found wrong, and how much was looked at: of several alternatives the one that got furthest explains itself.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) causes: Vec<Cause>,
    pub(super) looked: u32,
}

impl Findings {
    /// A check that was passed.
    pub(super) fn passed() -> Self {
        Findings { causes: vec![], looked: 1 }
    }

    pub(super) fn wrong(cause: Cause) -> Self {
        Findings { causes: vec![cause], looked: 0 }
    }

    pub(super) fn merge(&mut self, other: Findings) {
        self.looked += other.looked;
        other.causes.into_iter().for_each(|cause| self.add(cause));
    }

    /// The same is said once.
    pub(super) fn add(&mut self, cause: Cause) {
        if !self.causes.contains(&cause) {
            self.causes.push(cause);
        }
    }

    pub(super) fn is_fine(&self) -> bool {
        self.causes.is_empty()
    }
}

impl Schema {
    pub(super) fn new(root: Value) -> Self {
        let mut schema = Schema { root: Value::Null, ..Schema::default() };
        schema.learn(&root);
        schema.root = root;
        schema
    }

    /// Finds the patterns, wherever they stand.
    fn learn(&mut self, part: &Value) {
        match part {
            Value::Array(list) => list.iter().for_each(|inner| self.learn(inner)),
            Value::Object(map) => {
                if let Some((pattern, regex)) = map.get("pattern").and_then(Value::as_str).and_then(|p| Some((p, Regex::new(p).ok()?))) {
                    self.patterns.insert(pattern.to_owned(), regex);
                }
                map.values().for_each(|inner| self.learn(inner));
            }
            _ => {}
        }
    }

    pub(super) fn root(&self) -> &Value {
        &self.root
    }

    pub(super) fn matches(&self, pattern: &str, text: &str) -> bool {
        self.patterns.get(pattern).is_none_or(|regex| regex.is_match(text))
    }
}

/// The field of a path; the root has none.
pub(super) fn field(path: &str) -> String {
    let path = path.strip_prefix('.').unwrap_or(path);
    if path.is_empty() { "<nil>".to_owned() } else { path.to_owned() }
}
