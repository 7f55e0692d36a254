//! The keys of a JSON text and which of them an object repeats: what a parsed value no longer tells, and `fieldValidation`
//! asks.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The paths of all keys in their order, each with whether it repeats one; none when the text is no JSON.
pub(crate) fn keys(text: &[u8]) -> Vec<(String, bool)> {
    let mut keys = Vec::new();
    let whole = Keys { path: "", keys: &mut keys }.deserialize(&mut serde_json::Deserializer::from_slice(text));
    whole.map_or(Vec::new(), |()| keys)
}

/// The value at a path.
struct Keys<'k> {
    path: &'k str,
    keys: &'k mut Vec<(String, bool)>,
}

impl<'de> DeserializeSeed<'de> for Keys<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Keys<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let path = if self.path.is_empty() { key.clone() } else { format!("{}.{key}", self.path) };
            self.keys.push((path.clone(), !seen.insert(key)));
            map.next_value_seed(Keys { path: &path, keys: self.keys })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut index = 0;
        while let Some(()) = list.next_element_seed(Keys { path: &format!("{}[{index}]", self.path), keys: self.keys })? {
            index += 1;
        }
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_keys_are_found_wherever_they_are() {
        let text = br#"{"a": {"b": 1, "b": 2}, "c": [true, {"d": "}", "d": null}], "e": [], "f": {}, "a": -1.5e3}"#;
        let keys = keys(text);
        let repeated: Vec<&str> = keys.iter().filter(|(_, again)| *again).map(|(path, _)| path.as_str()).collect();
        assert_eq!(repeated, ["a.b", "c[1].d", "a"]);
        assert_eq!(keys.len(), 9);
    }

    #[test]
    fn what_is_no_json_has_no_keys() {
        assert!(keys(br#"{"a": 1, "a":"#).is_empty());
    }
}
