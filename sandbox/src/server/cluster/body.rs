//! Is a body what its path says? Kind, version and the JSON types of its fields, with the real server's words. Fields
//! that the kind doesn't have are dropped, told or refused.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::Write;
use crate::machinery::fields::typed;
use crate::machinery::notation::cause::Cause;
use crate::machinery::notation::value::{default, set, text};
use crate::machinery::registry::{Kind, Registry};
use crate::machinery::status::{Answer, Refusal};

/// What the server has Go types for: the built-in kinds.
static TYPES: LazyLock<HashSet<(String, String)>> = LazyLock::new(|| {
    Registry::builtin()
        .kinds()
        .iter()
        .filter(|k| !k.custom)
        .flat_map(|k| ["", "List"].map(|list| (k.api_version(), format!("{}{list}", k.kind))))
        .collect()
});

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
    let mut found = typed::Found::default();
    typed::conform(&kind.shape, object, &mut found).map_err(|wrong| handled(wrong.decoding()))?;
    if !object["metadata"].is_object() {
        set(object, "metadata", json!({}));
    }
    write.unknown_fields(&found.unknown, |all| handled(format!("strict decoding error: {all}")))
}

fn mismatch(kind: &Kind, version: &str, name: &str) -> String {
    let short = version.rsplit('/').next().unwrap_or(version);
    let handled = format!("{name} in version {short:?} cannot be handled as a {}", kind.kind);
    match () {
        () if kind.custom => {
            format!("the API version in the data ({version}) does not match the expected API version ({})", kind.api_version())
        }
        () if !TYPES.contains(&(version.to_owned(), name.to_owned())) => {
            format!("{handled}: no kind {name:?} is registered for version {version:?} in scheme \"pkg/runtime/scheme.go:111\"")
        }
        () => format!("{handled}: converting ({short}.{name}) to ({}.{}): unknown conversion", package(kind), kind.kind),
    }
}

/// The Go package of a group's types.
fn package(kind: &Kind) -> &str {
    if kind.group.is_empty() { "core" } else { kind.group.split('.').next().unwrap_or_default() }
}
