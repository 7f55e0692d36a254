//! JSON patches as the real server's library takes them, which is not quite what the standard says: a `test` for null also
//! holds where there is nothing at all (controllers add their first finalizer by it), `replace` adds a field that an object
//! does not have, a missing value is null, `copy` from nowhere copies null, and indexes may count from the end.

use json_patch::PatchOperation;
use serde_json::{Value, json};

/// Why a patch does not apply. The real server says no more of it either.
#[derive(Debug)]
pub(crate) struct Unfit;

/// Carries out a patch. On an error the object is half changed, and to be dropped.
pub(crate) fn patch(object: &mut Value, operations: &[Value]) -> Result<(), Unfit> {
    operations.iter().try_for_each(|operation| {
        let operation = serde_json::from_value(plain(object, operation.clone())).map_err(|_| Unfit)?;
        carry_out(object, operation)
    })
}

fn carry_out(object: &mut Value, operation: PatchOperation) -> Result<(), Unfit> {
    let operation = match operation {
        PatchOperation::Test(test) if test.value.is_null() && object.pointer(test.path.as_str()).is_none() => return Ok(()),
        PatchOperation::Replace(replace) if is_new_field(object, replace.path.as_str()) => {
            PatchOperation::Add(json_patch::AddOperation { path: replace.path, value: replace.value })
        }
        PatchOperation::Copy(copy) if object.pointer(copy.from.as_str()).is_none() => {
            PatchOperation::Add(json_patch::AddOperation { path: copy.path, value: Value::Null })
        }
        other => other,
    };
    json_patch::patch(object, &[operation]).map_err(|_| Unfit)
}

/// An operation as the standard has it.
fn plain(object: &Value, mut operation: Value) -> Value {
    let Some(map) = operation.as_object_mut() else { return operation };
    let op = map.get("op").and_then(Value::as_str).unwrap_or_default().to_owned();
    if matches!(op.as_str(), "add" | "replace" | "test") {
        map.entry("value").or_insert(Value::Null);
    }
    for name in ["path", "from"] {
        if let Some(path) = map.get(name).and_then(Value::as_str).and_then(|p| p.find('/').map(|at| p[at..].to_owned())) {
            let grows = name == "path" && matches!(op.as_str(), "add" | "move" | "copy");
            map.insert(name.to_owned(), json!(counted(object, &path, grows)));
        }
    }
    operation
}

/// A path whose indexes count from the beginning. The last one of a list that `grows` may be one more.
fn counted(object: &Value, path: &str, grows: bool) -> String {
    let (mut here, mut out) = (Some(object), String::new());
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    for (at, segment) in segments.iter().enumerate() {
        let list = here.and_then(Value::as_array);
        let index = list.zip(segment.parse::<i64>().ok()).and_then(|(list, index)| {
            let length = list.len() + usize::from(grows && at + 1 == segments.len());
            usize::try_from(if index < 0 { i64::try_from(length).ok()? + index } else { index }).ok()
        });
        let segment = index.map_or_else(|| (*segment).to_owned(), |index| index.to_string());
        here = here.and_then(|h| h.pointer(&format!("/{segment}")));
        out = format!("{out}/{segment}");
    }
    out
}

fn is_new_field(object: &Value, path: &str) -> bool {
    let parent = path.rsplit_once('/').and_then(|(parent, _)| object.pointer(parent));
    parent.is_some_and(Value::is_object) && object.pointer(path).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn patched(operations: Value) -> Option<Value> {
        let mut object = json!({"metadata": {"name": "a"}});
        patch(&mut object, operations.as_array().expect("a patch")).ok().map(|()| object)
    }

    #[test]
    fn a_test_for_null_holds_where_nothing_is() {
        let first =
            json!([{"op": "test", "path": "/metadata/finalizers", "value": null}, {"op": "add", "path": "/metadata/finalizers", "value": ["f"]}]);
        assert_eq!(patched(first), Some(json!({"metadata": {"name": "a", "finalizers": ["f"]}})));
        assert_eq!(patched(json!([{"op": "test", "path": "/metadata/name", "value": null}])), None);
        assert_eq!(patched(json!([{"op": "test", "path": "/metadata/uid", "value": "u"}])), None);
        assert_eq!(patched(json!([{"op": "remove", "path": "/metadata/uid"}])), None);
    }

    #[test]
    fn replace_adds_what_is_missing_where_there_is_an_object() {
        let replaced = patched(json!([{"op": "replace", "path": "/metadata/uid", "value": "u"}]));
        assert_eq!(replaced, Some(json!({"metadata": {"name": "a", "uid": "u"}})));
        assert_eq!(patched(json!([{"op": "replace", "path": "/spec/replicas", "value": 1}])), None);
    }

    #[test]
    fn indexes_may_count_from_the_end() {
        let list = |operation: Value| {
            let mut object = json!({"l": ["a", "b"]});
            patch(&mut object, &[operation]).ok().map(|()| object["l"].clone())
        };
        assert_eq!(list(json!({"op": "remove", "path": "/l/-1"})), Some(json!(["a"])));
        assert_eq!(list(json!({"op": "add", "path": "/l/-2", "value": "c"})), Some(json!(["a", "c", "b"])));
        assert_eq!(list(json!({"op": "remove", "path": "/l/-3"})), None);
    }
}
