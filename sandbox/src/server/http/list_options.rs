//! The options of lists and watches, and what of them is refused, in the words of the real server.

use super::request::Request;
use crate::machinery::notation::cause::Cause;
use crate::machinery::status::{Answer, Refusal};
use crate::machinery::{registry::Kind, select::Selector};

/// The parsed query of a list or a watch.
#[derive(Debug)]
pub(super) struct ListOptions<'r> {
    pub(super) selector: Selector,
    /// 0: no limit.
    pub(super) limit: usize,
    pub(super) timeout: Option<u64>,
    /// Empty: unset.
    pub(super) version: &'r str,
    /// `Exact`, `NotOlderThan` or empty.
    pub(super) matching: &'r str,
    /// Empty: the first page.
    pub(super) token: &'r str,
    pub(super) initial: Option<bool>,
}

impl<'r> ListOptions<'r> {
    pub(super) fn parse(kind: &Kind, request: &'r Request, watch: bool) -> Answer<Self> {
        let options = ListOptions {
            limit: request.number("limit")?.unwrap_or(0),
            timeout: request.number("timeoutSeconds")?,
            version: request.query("resourceVersion"),
            matching: request.query("resourceVersionMatch"),
            token: request.query("continue"),
            initial: request.says("sendInitialEvents"),
            selector: Selector::parse(kind, request.query("labelSelector"), request.query("fieldSelector"))?,
        };
        let causes = if watch { options.wrong_for_watch() } else { options.wrong_for_list() };
        if causes.is_empty() { Ok(options) } else { Err(Refusal::options("ListOptions", &causes)) }
    }

    fn wrong_for_list(&self) -> Vec<Cause> {
        let mut wrong = Vec::new();
        if !self.matching.is_empty() {
            if self.version.is_empty() {
                wrong.push(forbidden("resourceVersionMatch is forbidden unless resourceVersion is provided"));
            }
            if !self.token.is_empty() {
                wrong.push(forbidden("resourceVersionMatch is forbidden when continue is provided"));
            }
            match self.matching {
                "Exact" if self.version == "0" => wrong.push(forbidden(r#"resourceVersionMatch "exact" is forbidden for resourceVersion "0""#)),
                "Exact" | "NotOlderThan" => {}
                other => wrong.push(unsupported(other, r#""Exact", "NotOlderThan", """#)),
            }
        }
        if self.initial.is_some() {
            wrong.push(Cause::new("FieldValueForbidden", "sendInitialEvents", "Forbidden: sendInitialEvents is forbidden for list"));
        }
        wrong
    }

    fn wrong_for_watch(&self) -> Vec<Cause> {
        let mut wrong = Vec::new();
        if self.initial.is_some() && self.matching != "NotOlderThan" {
            wrong.push(forbidden("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
        }
        if !self.matching.is_empty() && self.initial.is_none() {
            wrong.push(forbidden("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
        }
        if !self.matching.is_empty() && self.matching != "NotOlderThan" {
            wrong.push(unsupported(self.matching, r#""NotOlderThan""#));
        }
        if !self.token.is_empty() {
            wrong.push(forbidden("resourceVersionMatch is forbidden when continue is provided"));
        }
        wrong
    }
}

fn forbidden(why: &str) -> Cause {
    Cause::new("FieldValueForbidden", "resourceVersionMatch", format!("Forbidden: {why}"))
}

fn unsupported(value: &str, supported: &str) -> Cause {
    Cause::new("FieldValueNotSupported", "resourceVersionMatch", format!("Unsupported value: {value:?}: supported values: {supported}"))
}

/// A version in a query; `None` when it is unset.
pub(super) fn version(text: &str) -> Result<Option<u64>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = |_| format!("resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax");
    text.parse().map(Some).map_err(wrong)
}

/// A version from the future is refused, so that a client with another server's version starts over.
pub(super) fn not_newer_than(newest: u64, asked: u64) -> Answer<()> {
    if asked <= newest { Ok(()) } else { Err(Refusal::too_large_version(asked, newest)) }
}
