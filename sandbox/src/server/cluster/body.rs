//! Is a body what its path says? Kind, version and the JSON types of its fields, with the real server's words. Fields
//! that the kind doesn't have are dropped, told or refused.

use serde_json::{Value, json};

use super::Write;
use crate::machinery::fields::typed;
use crate::machinery::notation::cause::Cause;
use crate::machinery::notation::value::{default, set, text};
use crate::machinery::registry::Kind;
use crate::machinery::status::{Answer, Refusal};

/// The body must be of the kind that the path names; missing kind and version are filled in.
pub(super) fn check_type(kind: &Kind, object: &mut Value, write: &Write) -> Answer<()> {
    default(object, "kind", kind.kind.clone());
    default(object, "apiVersion", kind.api_version());
    let (version, name) = (text(object, "apiVersion").to_owned(), text(object, "kind").to_owned());
    if kind.custom && name != kind.kind && version == kind.api_version() {
        let cause = Cause::invalid("kind", name.as_str(), &format!("must be {}", kind.kind));
        let named = Kind { kind: name, ..kind.clone() };
        return Err(Refusal::invalid(&named, text(object, "metadata.name"), &[cause]));
    }
    if name != kind.kind || version != kind.api_version() {
        return Err(Refusal::bad_request(mismatch(kind, &version, &name)));
    }
    let handled =
        |why: String| Refusal::bad_request(format!("{} in version {:?} cannot be handled as a {}: {why}", kind.kind, kind.version, kind.kind));
    let unknown = typed::conform(&kind.shape, object).map_err(|wrong| handled(wrong.decoding()))?;
    if !object["metadata"].is_object() {
        set(object, "metadata", json!({}));
    }
    write.unknown_fields(&unknown, |all| handled(format!("strict decoding error: {all}")))
}

fn mismatch(kind: &Kind, version: &str, name: &str) -> String {
    if kind.custom {
        return format!("the API version in the data ({version}) does not match the expected API version ({})", kind.api_version());
    }
    format!("{name} of {version:?} cannot be handled as a {} of {:?}", kind.kind, kind.api_version())
}
