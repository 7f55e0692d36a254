//! A container as its Pod's object tells of it: its spec, its status, and which one a client means.

use serde_json::Value;

use crate::machinery::notation::value::{list, text};
use crate::machinery::status::{Answer, Refusal};

/// The fields of a Pod's spec that hold containers.
const SPECS: [&str; 3] = ["spec.containers", "spec.initContainers", "spec.ephemeralContainers"];
/// And those of its status.
const STATUSES: [&str; 3] = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"];

/// The container's spec, be it an init container or another.
pub(crate) fn spec<'p>(pod: &'p Value, name: &str) -> Option<&'p Value> {
    SPECS.iter().flat_map(|path| list(pod, path)).find(|c| text(c, "name") == name)
}

/// The container's status.
pub(crate) fn status<'p>(pod: &'p Value, name: &str) -> Option<&'p Value> {
    STATUSES.iter().find_map(|of| status_in(pod, of, name))
}

/// The status of a container in one of the status' fields.
pub(crate) fn status_in<'p>(pod: &'p Value, of: &str, name: &str) -> Option<&'p Value> {
    list(pod, &format!("status.{of}")).iter().find(|s| text(s, "name") == name)
}

/// The container that a client means; an only one need not be named.
pub(super) fn meant(pod: &Value, wanted: &str) -> Answer<String> {
    let names = |path: &str| list(pod, path).iter().map(|c| text(c, "name").to_owned()).collect::<Vec<_>>();
    let name = text(pod, "metadata.name");
    let own = names("spec.containers");
    let all = [names("spec.initContainers"), own.clone(), names("spec.ephemeralContainers")].concat();
    match own.as_slice() {
        [one] if wanted.is_empty() => Ok(one.clone()),
        _ if wanted.is_empty() => {
            Err(Refusal::bad_request(format!("a container name must be specified for pod {name}, choose one of: [{}]", all.join(" "))))
        }
        _ if all.iter().any(|n| n == wanted) => Ok(wanted.to_owned()),
        _ => Err(Refusal::bad_request(format!("container {wanted} is not valid for pod {name}"))),
    }
}
