//! The hash by which templates, and the slices of a Service, are told apart. It stands in names and labels.

use serde_json::Value;

use crate::machinery::notation::fnv::fnv1a;

/// Ten letters that differ when templates do.
pub(super) fn hash(template: &Value) -> String {
    const LETTERS: &[u8] = b"bcdf456789ghjklmnpqrstvwxz2";
    let mut hash = fnv1a(template.to_string().as_bytes());
    let letters = (0..10).map(|_| {
        let letter = LETTERS[usize::try_from(hash % LETTERS.len() as u64).unwrap_or(0)];
        hash /= LETTERS.len() as u64;
        char::from(letter)
    });
    letters.collect()
}
