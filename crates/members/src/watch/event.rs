//! One line of a watch.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Status};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{ApiFailure, MemberError, Result, text::bounded};

/// What a line says.
pub(super) enum Event<T> {
    /// There is a new object, or one changed.
    Applied(T),
    /// An object is gone; these are its last words.
    Deleted(T),
    /// Nothing changed up to this version.
    Bookmark(String),
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Deserialize)]
struct Marked {
    metadata: ObjectMeta,
}

pub(super) fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<Event<T>> {
    let Line { kind, object } = serde_json::from_slice(line).map_err(bad)?;
    match kind {
        "ADDED" | "MODIFIED" => serde_json::from_str(object.get()).map(Event::Applied).map_err(bad),
        "DELETED" => serde_json::from_str(object.get()).map(Event::Deleted).map_err(bad),
        "BOOKMARK" => {
            let marked: Marked = serde_json::from_str(object.get()).map_err(bad)?;
            Ok(Event::Bookmark(marked.metadata.resource_version.unwrap_or_default()))
        }
        "ERROR" => {
            let status: Status = serde_json::from_str(object.get()).map_err(bad)?;
            let code = status.code.and_then(|code| u16::try_from(code).ok()).unwrap_or(500);
            let (reason, message) = (bounded(status.reason), bounded(status.message));
            Err(MemberError::Api(Box::new(ApiFailure { code, reason, message, retry_after: None })))
        }
        _ => Err(MemberError::BadAnswer("an unknown type of event".to_owned())),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` passes")]
fn bad(error: serde_json::Error) -> MemberError {
    MemberError::BadAnswer(bounded(Some(error.to_string())))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn lines_say_what_happened() {
        let word = |line: &str| match parse::<Value>(line.as_bytes()) {
            Ok(Event::Applied(object)) => format!("applied {object}"),
            Ok(Event::Deleted(object)) => format!("deleted {object}"),
            Ok(Event::Bookmark(version)) => format!("bookmark {version}"),
            Err(error) => error.reason().to_owned(),
        };
        let line = |kind: &str, object: Value| json!({"type": kind, "object": object}).to_string();
        assert_eq!(word(&line("ADDED", json!(1))), "applied 1");
        assert_eq!(word(&line("MODIFIED", json!(2))), "applied 2");
        assert_eq!(word(&line("DELETED", json!(3))), "deleted 3");
        assert_eq!(word(&line("BOOKMARK", json!({"metadata": {"resourceVersion": "7"}}))), "bookmark 7");
        assert_eq!(word(&line("ERROR", json!({"code": 410, "reason": "Expired"}))), "Expired");
        for nonsense in ["", "{", "[]", &line("ADDED", json!(1))[1..], &line("MOVED", json!(1)), &line("BOOKMARK", json!(1))] {
            assert_eq!(word(nonsense), "BadAnswer", "{nonsense}");
        }
    }
}
