//! Lists: which version, which page, and an answer that is written while it is sent, a piece at a time, so that a list of
//! 10,000 Pods takes no more memory than one of ten.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use futures::stream;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::list_options::{self, ListOptions};
use super::reply::{self, Reply};
use super::request::{As, Request};
use super::served::Served;
use super::table;
use super::target::Target;
use crate::machinery::status::{Answer, Refusal};
use crate::machinery::{registry::Kind, select::Selector};
use crate::server::store::{Entry, Key, Page, Query};

/// About so many bytes are written at a time.
const PIECE: usize = 64 << 10;

/// What a `continue` token says; clients must not look.
#[derive(Debug, Serialize, Deserialize)]
struct Token {
    v: String,
    /// The version of the list's first page; -1 goes on with what is there now.
    rv: i64,
    /// The path of the last object, below that of the list, and the smallest byte.
    start: String,
}

const TOKEN_VERSION: &str = "meta.k8s.io/v1";

pub(super) fn list(served: &Served, target: &Target, request: &Request) -> Answer<Reply> {
    let kind = &target.kind;
    let options = ListOptions::parse(kind, request, false)?;
    let (query, expired) = query(served, target, &options)?;
    let page = match kind.computed {
        true => computed(served, target, &options.selector),
        false => served.cluster.store.list(&kind.table(), &query).ok_or(expired)?,
    };
    let mut meta = json!({"resourceVersion": page.version.to_string()});
    if let Some(last) = page.entries.last().filter(|_| page.left > 0) {
        meta["continue"] = json!(token(&target.namespace, i64::try_from(page.version).unwrap_or(-1), &last.key));
        if query.selector.is_empty() {
            meta["remainingItemCount"] = json!(page.left);
        }
    }
    let entries: Vec<&Entry> = page.entries.iter().map(AsRef::as_ref).collect();
    Ok(match request.accept() {
        As::Table => reply::json(200, &table::table(kind, &entries, table::include(request)?, true, meta)),
        As::Metadata => {
            let items: Vec<Value> = entries.iter().map(|e| table::metadata(e)).collect();
            reply::json(200, &json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "items": items}))
        }
        As::Object => objects(kind, page, &meta),
    })
}

/// All of a kind that is computed, on one page.
fn computed(served: &Served, target: &Target, selector: &Selector) -> Page {
    let entries = served.kubelet.usage(&target.kind, &target.namespace).into_iter();
    let entries = entries.filter(|entry| selector.matches(entry)).map(Arc::new).collect();
    Page { entries, version: served.cluster.store.version(), left: 0 }
}

/// What the options mean, and what to say when the version they mean is forgotten.
fn query<'q>(served: &Served, target: &'q Target, options: &ListOptions<'_>) -> Answer<(Query<'q>, Refusal)> {
    let mut query = Query { namespace: &target.namespace, selector: options.selector.clone(), limit: options.limit, after: None, version: None };
    let newest = served.cluster.store.version();
    if !options.token.is_empty() {
        let token = parse_token(options.token)?;
        if !matches!(options.version, "" | "0") {
            return Err(Refusal::bad_request("specifying resource version is not allowed when using continue"));
        }
        let last = key_at(&target.namespace, &token.start);
        query.version = u64::try_from(token.rv).ok();
        query.version.map_or(Ok(()), |version| list_options::not_newer_than(newest, version))?;
        let expired = Refusal::expired_token(self::token(&target.namespace, -1, &last));
        query.after = Some(last);
        return Ok((query, expired));
    }
    let asked = list_options::version(options.version).map_err(|why| Refusal::bad_request(format!("invalid resource version: {why}")))?;
    list_options::not_newer_than(newest, asked.unwrap_or(0))?;
    match (asked, options.matching) {
        (None, _) | (_, "NotOlderThan") => {}
        // What the real server has at hand, and all of it.
        (Some(0), _) => query.limit = 0,
        (Some(version), "Exact") => query.version = Some(version),
        (Some(version), _) if options.limit > 0 => query.version = Some(version),
        _ => {}
    }
    Ok((query, Refusal::gone("The resourceVersion for the provided list is too old.")))
}

fn token(namespace: &str, version: i64, last: &Key) -> String {
    let start =
        if namespace.is_empty() && !last.namespace.is_empty() { format!("{}/{}\0", last.namespace, last.name) } else { format!("/{}\0", last.name) };
    let token = Token { v: TOKEN_VERSION.to_owned(), rv: version, start };
    URL_SAFE_NO_PAD.encode(json!(token).to_string())
}

fn parse_token(text: &str) -> Answer<Token> {
    let bad = |why: String| Refusal::bad_request(format!("invalid continue token: continue key is not valid: {why}"));
    let bytes = URL_SAFE_NO_PAD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).map_err(|e| bad(e.to_string()))?;
    let token: Token = serde_json::from_slice(&bytes).map_err(|e| bad(e.to_string()))?;
    match token.v.as_str() {
        TOKEN_VERSION if token.rv != 0 && !token.start.is_empty() => Ok(token),
        TOKEN_VERSION => Err(bad(String::from("incorrect encoded start resourceVersion (version meta.k8s.io/v1)"))),
        other => Err(bad(format!("server does not recognize this encoded version {other:?}"))),
    }
}

fn key_at(namespace: &str, start: &str) -> Key {
    let path = start.trim_start_matches('/').trim_end_matches('\0');
    match path.split_once('/').filter(|_| namespace.is_empty()) {
        Some((namespace, name)) => Key::new(namespace, name),
        None => Key::new(namespace, path),
    }
}

/// A list of objects as they are.
pub(super) fn objects(kind: &Arc<Kind>, page: Page, meta: &Value) -> Reply {
    let head = format!(r#"{{"kind":"{}List","apiVersion":"{}","metadata":{meta},"items":["#, kind.kind, kind.api_version());
    let state = (kind.clone(), page.entries.into_iter(), Some(head));
    let pieces = stream::unfold(state, |(kind, mut left, head)| async move {
        let mut out = Vec::with_capacity(PIECE + (16 << 10));
        let mut first = match head {
            Some(head) => {
                out.extend_from_slice(head.as_bytes());
                true
            }
            None if left.len() == 0 => return None,
            None => false,
        };
        while out.len() < PIECE {
            let Some(entry) = left.next() else { break };
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            object(&kind, &entry, &mut out);
        }
        if left.len() == 0 {
            out.extend_from_slice(b"]}");
        }
        Some((Bytes::from(out), (kind, left, None)))
    });
    reply::stream("application/json", pieces)
}

/// An object as this kind shows it, as text.
pub(super) fn object(kind: &Kind, entry: &Entry, out: &mut Vec<u8>) {
    if kind.as_stored() {
        entry.text.append_to(out);
    } else {
        out.extend_from_slice(table::object(kind, entry).to_string().as_bytes());
    }
}
