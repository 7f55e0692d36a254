//! JSON patches as the real server's library takes them: a `test` for null also holds where there is nothing at all
//! (controllers add their first finalizer by it), and `replace` adds a field that an object does not have.

use json_patch::{Patch, PatchOperation};
use serde_json::Value;

/// Carries out a patch. On an error the object is half changed, and to be dropped.
pub(crate) fn patch(object: &mut Value, patch: &Patch) -> Result<(), json_patch::PatchError> {
    patch.0.iter().try_for_each(|operation| match operation {
        PatchOperation::Test(test) if test.value.is_null() && object.pointer(test.path.as_str()).is_none() => Ok(()),
        PatchOperation::Replace(replace) if is_new_field(object, replace.path.as_str()) => {
            let add = json_patch::AddOperation { path: replace.path.clone(), value: replace.value.clone() };
            json_patch::patch(object, &[PatchOperation::Add(add)])
        }
        other => json_patch::patch(object, std::slice::from_ref(other)),
    })
}

fn is_new_field(object: &Value, path: &str) -> bool {
    let parent = path.rsplit_once('/').and_then(|(parent, _)| object.pointer(parent));
    parent.is_some_and(Value::is_object) && object.pointer(path).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    fn patched(operations: Value) -> Option<Value> {
        let mut object = json!({"metadata": {"name": "a"}});
        patch(&mut object, &from_value(operations).expect("a patch")).ok().map(|()| object)
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
}
