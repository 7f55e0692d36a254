//! The options of a call, in its query or its body, checked before anything is done: texts and codes are the real server's.
//! Those of lists and watches are in [`super::list_options`].

use serde_json::json;

use super::request::Request;
use crate::machinery::notation::cause::Cause;
use crate::machinery::notation::value::{set, text};
use crate::machinery::status::{Answer, Refusal};
use crate::server::cluster::DeleteOptions;

/// How to delete, from the body and the query; the query wins.
pub(super) fn delete(request: &Request) -> Answer<DeleteOptions> {
    request.number::<i64>("gracePeriodSeconds")?;
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
    let dry: Vec<&str> = request.queries("dryRun").filter(|d| !d.is_empty()).collect();
    if !dry.is_empty() {
        set(&mut body, "dryRun", json!(dry));
    }
    let dry = crate::machinery::notation::value::list(&body, "dryRun");
    if dry.iter().any(|d| d != "All") {
        return Err(Refusal::options("DeleteOptions", &[Cause::unsupported("dryRun", &json!(dry), &["All"])]));
    }
    DeleteOptions::parse(&body)
}
