//! JSON patches as the real server's library takes them: a `test` for null also holds where there is nothing at all.
//! Controllers add their first finalizer by it.

use json_patch::{Patch, PatchOperation};
use serde_json::Value;

/// Carries out a patch. On an error the object is half changed, and to be dropped.
pub(crate) fn patch(object: &mut Value, patch: &Patch) -> Result<(), json_patch::PatchError> {
    patch.0.iter().try_for_each(|operation| match operation {
        PatchOperation::Test(test) if test.value.is_null() && object.pointer(test.path.as_str()).is_none() => Ok(()),
        other => json_patch::patch(object, std::slice::from_ref(other)),
    })
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
}
