//! ResourceQuotas, LimitRanges and NetworkPolicies: enough to see that somebody else changed one.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{View, terminating};
use crate::{
    slim::{Skipped, Slim},
    text::name,
};

pub(crate) type SlimGuardrail = Slim<Value, Skipped>;

/// A guardrail of ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GuardrailView {
    /// Its namespace, which may be another than its cluster's when somebody copied our labels.
    pub namespace: String,
    /// Unique within its kind and namespace, at one time.
    pub name: String,
    /// Unique for ever.
    pub uid: String,
    /// Changes with its spec and with nothing else: a quota's status is written all the time. The same in every
    /// process and release, and the same as [`crate::Applied::content`] of the write that made it so.
    pub content: u64,
    /// When it was deleted, in seconds since 1970.
    pub terminating: Option<i64>,
}

impl View for GuardrailView {
    fn version(&self) -> Option<u64> {
        Some(self.content ^ u64::from(self.terminating.is_some()))
    }
}

impl From<SlimGuardrail> for GuardrailView {
    fn from(object: SlimGuardrail) -> Self {
        let Slim { metadata: meta, spec, status: Skipped } = object;
        Self { terminating: terminating(&meta), namespace: name(meta.namespace), name: name(meta.name), uid: name(meta.uid), content: content(&spec) }
    }
}

/// A number for a spec, whatever the order of its fields.
pub(crate) fn content(spec: &Value) -> u64 {
    let mut hash = Sha256::new();
    feed(&mut hash, spec);
    let digest: [u8; 32] = hash.finalize().into();
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The parser bounds how deep it goes.
fn feed(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            hash.update([b'{']);
            for (name, value) in fields {
                hash.update(name.as_bytes());
                hash.update([0]);
                feed(hash, value);
            }
            hash.update([b'}']);
        }
        Value::Array(values) => {
            hash.update([b'[']);
            values.iter().for_each(|value| feed(hash, value));
            hash.update([b']']);
        }
        other => {
            hash.update(other.to_string());
            hash.update([0]);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_asked_for_counts_as_content() {
        let view = |object: Value| GuardrailView::from(serde_json::from_value::<SlimGuardrail>(object).unwrap());
        let meta = |version: &str| json!({"namespace": "a", "name": "q", "uid": "u", "resourceVersion": version});
        let quota = |version: &str, hard: &str, used: &str| json!({"metadata": meta(version), "spec": {"hard": {"pods": hard}}, "status": {"used": {"pods": used}}});
        let one = view(quota("1", "2", "0"));
        assert_eq!(one, view(quota("2", "2", "1")), "its status is not ours to say");
        assert_ne!(one.content, view(quota("3", "99", "1")).content);
        assert_ne!(content(&json!({"a": ["b"]})), content(&json!({"a": "b"})));
        assert_ne!(content(&json!({"a": {}, "b": 1})), content(&json!({"a": {"b": 1}})));
        assert_eq!(content(&json!({"hard": {"pods": "2"}})), 15_544_500_352_887_226_712, "it is written down: it must not change");
    }
}
