//! The options of a call, in its query or its body, checked before anything is done: texts and codes are the real server's.

use serde_json::json;

use super::request::Request;
use crate::cluster::DeleteOptions;
use crate::status::{Answer, Cause, Refusal};
use crate::value::{set, text};

/// What a list may say. A watch has rules of its own, see [`super::watch`].
pub(super) fn check_list(request: &Request) -> Answer<()> {
    whole_number(request, "limit")?;
    let (version, matching) = (request.query("resourceVersion"), request.query("resourceVersionMatch"));
    let forbidden = |field: &str, why: &str| Err(Refusal::options("ListOptions", &Cause::forbidden(field, why)));
    if !request.query("sendInitialEvents").is_empty() {
        return forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list");
    }
    match matching {
        "" => {}
        _ if version.is_empty() => return forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided"),
        _ if !request.query("continue").is_empty() => {
            return forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided");
        }
        "Exact" if version == "0" => {
            return forbidden("resourceVersionMatch", "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
        }
        "Exact" | "NotOlderThan" => {}
        other => {
            let cause = Cause::unsupported("resourceVersionMatch", &json!(other), &["Exact", "NotOlderThan", ""]);
            return Err(Refusal::options("ListOptions", &cause));
        }
    }
    if !version.is_empty() && version.parse::<u64>().is_err() {
        let why =
            format!("invalid resource version: resourceVersion: Invalid value: {version:?}: strconv.ParseUint: parsing {version:?}: invalid syntax");
        return Err(Refusal::bad_request(why));
    }
    Ok(())
}

fn whole_number(request: &Request, name: &str) -> Answer<()> {
    let said = request.query(name);
    if said.is_empty() || said.parse::<i64>().is_ok() {
        return Ok(());
    }
    Err(Refusal::bad_request(format!("strconv.ParseInt: parsing {said:?}: invalid syntax")))
}

/// How to delete, from the body and the query; the query wins.
pub(super) fn delete(request: &Request) -> Answer<DeleteOptions> {
    whole_number(request, "gracePeriodSeconds")?;
    let mut body = if request.content_type() == "application/json" && !request.body().is_empty() {
        request.json().map_err(Refusal::bad_request)?
    } else {
        request.optional_object("DeleteOptions")?.unwrap_or_else(|| json!({}))
    };
    let kind = text(&body, "kind");
    if !kind.is_empty() && kind != "DeleteOptions" {
        let version = text(&body, "apiVersion");
        let why = format!("no kind {kind:?} is registered for version {version:?} in scheme \"pkg/runtime/scheme.go:111\"");
        return Err(Refusal::bad_request(why));
    }
    for name in ["gracePeriodSeconds", "propagationPolicy"] {
        let said = request.query(name);
        if !said.is_empty() {
            set(&mut body, name, said.parse::<i64>().map_or_else(|_| json!(said), |n| json!(n)));
        }
    }
    let dry = request.query("dryRun");
    if !dry.is_empty() {
        set(&mut body, "dryRun", json!([dry]));
    }
    if let Some(other) = crate::value::list(&body, "dryRun").iter().find(|d| *d != "All") {
        return Err(Refusal::options("DeleteOptions", &Cause::unsupported("dryRun", &json!([other]), &["All"])));
    }
    DeleteOptions::parse(&body)
}
