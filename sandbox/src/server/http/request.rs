//! A request, read whole: path segments, query, what is accepted, and a body in any of the formats that clients send.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Method, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{body::Incoming, upgrade::OnUpgrade};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{proto, scan};
use crate::machinery::notation::{cause::Cause, go::go_name};
use crate::machinery::status::{Answer, Refusal};
use crate::server::cluster::{Unknown, Write};

/// The real server's limit of a request body.
const LIMIT: usize = 3 << 20;

#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: Vec<String>,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
    /// The connection itself, when the client asks for another protocol.
    upgrade: Mutex<Option<OnUpgrade>>,
}

/// In which form an answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum As {
    Object,
    Table,
    Metadata,
}

impl Request {
    pub(crate) async fn read(mut request: hyper::Request<Incoming>) -> Answer<Self> {
        let upgrade = request.headers().contains_key(header::UPGRADE).then(|| hyper::upgrade::on(&mut request));
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().split('/').filter(|s| !s.is_empty()).map(|s| percent_decode_str(s).decode_utf8_lossy().into_owned()).collect();
        let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let body = match Limited::new(body, LIMIT).collect().await {
            Ok(body) => body.to_bytes(),
            Err(e) if e.is::<LengthLimitError>() => {
                let message = format!("Request entity too large: limit is {LIMIT}");
                return Err(Refusal::new(413, "RequestEntityTooLarge", message));
            }
            Err(e) => return Err(Refusal::bad_request(format!("cannot read the request's body: {e}"))),
        };
        Ok(Request { method: parts.method, path, query, headers: parts.headers, body, upgrade: Mutex::new(upgrade) })
    }

    /// A query parameter; empty when it is missing.
    pub(crate) fn query(&self, name: &str) -> &str {
        self.query.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
    }

    /// Every value of a query parameter.
    pub(crate) fn queries(&self, name: &str) -> impl Iterator<Item = &str> {
        self.query.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The connection to come, once.
    pub(crate) fn upgrade(&self) -> Option<OnUpgrade> {
        self.upgrade.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// A whole number, if there is one that fits; negative ones of what can't be negative count as unset.
    pub(crate) fn number<T: TryFrom<i64>>(&self, name: &str) -> Answer<Option<T>> {
        let text = self.query(name);
        if text.is_empty() {
            return Ok(None);
        }
        let number: i64 = text.parse().map_err(|_| Refusal::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax")))?;
        Ok(T::try_from(number).ok())
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.says(name).unwrap_or(false)
    }

    /// A yes or no, if there is one. Everything but `0` and `false` is a yes, as on the real server.
    pub(crate) fn says(&self, name: &str) -> Option<bool> {
        let (_, value) = self.query.iter().find(|(n, _)| n == name)?;
        Some(value != "0" && !value.eq_ignore_ascii_case("false"))
    }

    pub(crate) fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn accept(&self) -> As {
        let accept = self.header(header::ACCEPT);
        let first = accept.split(',').map(str::trim).find(|a| a.contains("json") || a.contains("*/*"));
        match first {
            Some(a) if a.contains("as=Table") => As::Table,
            Some(a) if a.contains("as=PartialObjectMetadata") => As::Metadata,
            _ => As::Object,
        }
    }

    /// Refuses a client that wants none of what there is.
    pub(crate) fn acceptable(&self) -> Answer<()> {
        const THERE: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
        let accept = self.header(header::ACCEPT);
        let known = |wanted: &&str| {
            let media = wanted.split(';').next().unwrap_or_default().trim();
            matches!(media, "*/*" | "application/*") || THERE.split(", ").any(|there| there == media)
        };
        let mut wanted = accept.split(',').filter(known);
        if accept.is_empty() || wanted.any(has_form) {
            return Ok(());
        }
        Err(Refusal::new(406, "NotAcceptable", format!("only the following media types are accepted: {THERE}")))
    }

    pub(crate) fn body(&self) -> &Bytes {
        &self.body
    }

    pub(crate) fn content_type(&self) -> &str {
        self.header(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim()
    }

    /// The body as an object of a kind: JSON, YAML or Kubernetes' protobuf.
    pub(crate) fn object(&self, kind: &str) -> Answer<Value> {
        let unrecognized = |why: String| Refusal::bad_request(format!("the object provided is unrecognized (must be of type {kind}): {why}"));
        let object = match self.content_type().to_ascii_lowercase().as_str() {
            "" | "application/json" => self.json(),
            "application/vnd.kubernetes.protobuf" if !self.body.starts_with(b"k8s\0") => {
                Err("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]".to_owned())
            }
            "application/vnd.kubernetes.protobuf" => return proto::decode(&self.body),
            "application/yaml" | "application/apply-patch+yaml" => self.yaml(),
            _ => {
                let message = "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf";
                return Err(Refusal::new(415, "UnsupportedMediaType", message));
            }
        };
        match object.map_err(unrecognized)? {
            object @ Value::Object(_) => Ok(object),
            Value::Null => Ok(serde_json::json!({})),
            other => Err(unrecognized(format!("it is of type {}, not an object", go_name(&other)))),
        }
    }

    /// The body as JSON; the error says where it was looked for, and then what our parser says.
    pub(crate) fn json(&self) -> Result<Value, String> {
        self.parsed().map_err(|e| format!("couldn't get version/kind; json parse error: {e}"))
    }

    pub(crate) fn parsed(&self) -> Result<Value, String> {
        serde_json::from_slice(&self.body).map_err(|e| e.to_string())
    }

    pub(crate) fn yaml(&self) -> Result<Value, String> {
        let text = std::str::from_utf8(&self.body).map_err(|e| e.to_string())?;
        if text.trim_start().starts_with('{') {
            return self.json();
        }
        first_document(text, serde_saphyr::options::DuplicateKeyPolicy::LastWins).map_err(|e| format!("yaml: {e}"))
    }

    /// The first key that a YAML body repeats, in the words of the real server's parser.
    fn repeated_key(&self) -> Option<String> {
        let text = std::str::from_utf8(&self.body).ok().filter(|t| self.content_type().ends_with("yaml") && !t.trim_start().starts_with('{'))?;
        let error = first_document(text, serde_saphyr::options::DuplicateKeyPolicy::Error).err()?;
        let (line, said) = (error.location()?.line(), error.to_string());
        let key = said.split_once("duplicate mapping key: ")?.1.split(", set ").next()?.to_owned();
        Some(format!("line {line}: key {key:?} already set in map"))
    }

    /// A body that may be missing.
    pub(crate) fn optional_object(&self, kind: &str) -> Answer<Option<Value>> {
        if self.body.is_empty() { Ok(None) } else { self.object(kind).map(Some) }
    }

    /// Who writes, by `fieldManager` or else the program's name, and how.
    pub(crate) fn write(&self, subresource: &str) -> Answer<Write> {
        let named = self.query("fieldManager");
        let options = match self.method {
            Method::PUT => "UpdateOptions",
            Method::PATCH => "PatchOptions",
            _ => "CreateOptions",
        };
        if let Some(cause) = self.wrong_option(named) {
            return Err(Refusal::options(options, &[cause]));
        }
        let agent = self.header(header::USER_AGENT).split('/').next().unwrap_or_default();
        let manager = [named, agent, "unknown"].into_iter().find(|m| !m.is_empty()).unwrap_or("unknown");
        let mut write = Write::by(manager).to(subresource);
        write.dry_run = self.query("dryRun") == "All";
        write.unknown = match self.query("fieldValidation") {
            "Ignore" => Unknown::Dropped,
            "Strict" => Unknown::Refused,
            _ => Unknown::Warned,
        };
        if write.unknown != Unknown::Dropped && self.content_type().ends_with("json") {
            write.keys = scan::keys(&self.body);
        }
        if write.unknown != Unknown::Dropped {
            write.repeated = self.repeated_key();
        }
        Ok(write)
    }

    fn wrong_option(&self, manager: &str) -> Option<Cause> {
        let applies = self.content_type() == "application/apply-patch+yaml";
        let forced = self.query.iter().any(|(name, _)| name == "force");
        let validation = self.query("fieldValidation");
        match self.query("dryRun") {
            _ if self.method == Method::PATCH && forced && !applies => {
                Some(Cause::new("FieldValueForbidden", "force", "Forbidden: may not be specified for non-apply patch"))
            }
            _ if self.method == Method::PATCH && applies && manager.is_empty() => {
                Some(Cause::required("fieldManager", "is required for apply patch"))
            }
            _ if manager.len() > 128 => Some(Cause::new("FieldValueTooLong", "fieldManager", "Too long: may not be more than 128 bytes")),
            _ if manager.chars().any(char::is_control) => Some(Cause::invalid("fieldManager", manager, "must be printable")),
            other if !matches!(other, "" | "All") => {
                Some(Cause::new("FieldValueNotSupported", "dryRun", format!("Unsupported value: [{other:?}]: supported values: \"All\"")))
            }
            _ if !matches!(validation, "" | "Ignore" | "Strict" | "Warn") => {
                let message = format!("Unsupported value: {validation:?}: supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"");
                Some(Cause::new("FieldValueNotSupported", "fieldValidation", message))
            }
            _ => None,
        }
    }
}

/// Whatever follows the first document is nobody's.
fn first_document(text: &str, duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy) -> Result<Value, serde_saphyr::Error> {
    let options = serde_saphyr::options! { duplicate_keys: duplicate_keys };
    let all: Vec<Value> = serde_saphyr::from_multiple_with_options(text, options)?;
    Ok(all.into_iter().next().unwrap_or_default())
}

/// Whether there is the form that a media type asks for: as it is, a Table, or metadata only.
fn has_form(media: &str) -> bool {
    let option = |name: &str| media.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
    match option("as") {
        None => true,
        Some("Table" | "PartialObjectMetadata" | "PartialObjectMetadataList") => option("v").is_none_or(|v| v == "v1"),
        Some(_) => false,
    }
}
