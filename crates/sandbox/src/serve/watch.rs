//! Watches: newline-delimited JSON events from a version on, or from now with the present objects first.
//!
//! A watch that is too far behind gets an ERROR event with code 410 in the stream, never an HTTP error: clients then
//! list again. Streaming lists (`sendInitialEvents`) end their first part with the annotated bookmark.

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use futures::stream;
use serde_json::json;
use tokio::sync::watch::Receiver;
use tokio::time::Instant;

use super::reply::{self, Reply};
use super::request::{As, Request};
use super::route::Target;
use super::{Served, table};
use crate::registry::Kind;
use crate::select::Selector;
use crate::status::{Answer, Cause, Refusal};
use crate::store::{Change, Entry, Replay};

/// How often an idle watch is told the newest version.
const BOOKMARKS: Duration = Duration::from_secs(60);
/// Changes sent in one piece.
const BATCH: usize = 512;

struct Watch {
    served: Arc<Served>,
    kind: Arc<Kind>,
    namespace: String,
    selector: Selector,
    form: As,
    include: String,
    bookmarks: bool,
    changes: Receiver<u64>,
    cursor: u64,
    /// What goes out before any change.
    first: Option<Bytes>,
    ends: Instant,
    next_bookmark: Instant,
    columns_sent: bool,
    done: bool,
}

pub(crate) fn watch(served: &Arc<Served>, target: &Target, request: &Request) -> Answer<Reply> {
    let kind = target.kind.clone();
    let selector = Selector::parse(&kind, request.query("labelSelector"), request.query("fieldSelector"))?;
    let initial = match (request.query("sendInitialEvents"), request.query("resourceVersionMatch")) {
        ("", "") => None,
        ("", _) => return Err(not_valid("resourceVersionMatch", "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")),
        (_, m) if m != "NotOlderThan" => {
            return Err(not_valid("resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
        }
        (wanted, _) => Some(matches!(wanted, "true" | "1")),
    };
    let version = request.query("resourceVersion").parse::<u64>().unwrap_or(0);
    let seconds = request.query("timeoutSeconds").parse().unwrap_or(1_800u64).clamp(1, 86_400);
    let now = Instant::now();
    let mut watch = Watch {
        changes: served.cluster.store.changes(&kind.table()),
        served: served.clone(),
        kind,
        namespace: target.namespace.clone(),
        selector,
        form: request.accept(),
        include: request.query("includeObject").to_owned(),
        bookmarks: request.flag("allowWatchBookmarks"),
        cursor: version,
        first: None,
        ends: now + Duration::from_secs(seconds),
        next_bookmark: now + BOOKMARKS,
        columns_sent: false,
        done: false,
    };
    if initial.unwrap_or(version == 0) {
        watch.start_with_list(initial == Some(true));
    }
    let pieces = stream::unfold(watch, |mut watch| async move { watch.next().await.map(|piece| (piece, watch)) });
    Ok(reply::stream("application/json", pieces))
}

fn not_valid(field: &str, why: &str) -> Refusal {
    Refusal::options("ListOptions", &Cause::new("FieldValueForbidden", field, format!("Forbidden: {why}")))
}

impl Watch {
    fn start_with_list(&mut self, bookmark: bool) {
        let page = self.served.cluster.store.list(&self.kind.table(), &self.namespace, &self.selector, 0);
        self.cursor = page.version;
        let mut out = BytesMut::new();
        for entry in &page.entries {
            self.event(&mut out, "ADDED", entry);
        }
        if bookmark && self.bookmarks {
            self.bookmark(&mut out, true);
        }
        self.first = Some(out.freeze());
    }

    /// The next piece of the stream; `None` ends it.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take().filter(|f| !f.is_empty()) {
            return Some(first);
        }
        while !self.done {
            self.changes.borrow_and_update();
            let piece = self.pending();
            if !piece.is_empty() {
                return Some(piece);
            }
            let wake = self.ends.min(self.next_bookmark);
            tokio::select! {
                changed = self.changes.changed() => if changed.is_err() { return None },
                () = tokio::time::sleep_until(wake) => {
                    let piece = self.on_time();
                    if !piece.is_empty() {
                        return Some(piece);
                    }
                }
                () = self.served.stop.cancelled() => return None,
            }
        }
        None
    }

    fn on_time(&mut self) -> Bytes {
        let now = Instant::now();
        self.next_bookmark = now + BOOKMARKS;
        self.done = now >= self.ends;
        let mut out = BytesMut::new();
        if self.bookmarks {
            self.bookmark(&mut out, false);
        }
        out.freeze()
    }

    /// Everything that happened since the cursor and is selected.
    fn pending(&mut self) -> Bytes {
        let mut out = BytesMut::new();
        loop {
            match self.served.cluster.store.replay(&self.kind.table(), self.cursor, BATCH) {
                Replay::TooOld => {
                    let message = format!("too old resource version: {} ({})", self.cursor, self.served.cluster.store.version());
                    let status = Refusal::gone(message).to_value();
                    out.put_slice(json!({"type": "ERROR", "object": status}).to_string().as_bytes());
                    out.put_u8(b'\n');
                    self.done = true;
                    return out.freeze();
                }
                Replay::Changes(changes, upto) => {
                    let last = changes.len() < BATCH;
                    for change in &changes {
                        self.change(&mut out, change);
                    }
                    self.cursor = upto;
                    if last || !out.is_empty() {
                        return out.freeze();
                    }
                }
            }
        }
    }

    fn change(&mut self, out: &mut BytesMut, change: &Change) {
        let entry = &change.entry;
        if !self.namespace.is_empty() && *entry.key.namespace != *self.namespace {
            return;
        }
        let was = change.before.as_ref().is_some_and(|b| self.selector.matches(b));
        let is = !change.deleted && self.selector.matches(entry);
        match (was, is) {
            (false, true) => self.event(out, "ADDED", entry),
            (true, true) => self.event(out, "MODIFIED", entry),
            (true, false) => self.event(out, "DELETED", entry),
            (false, false) => {}
        }
    }

    fn event(&mut self, out: &mut BytesMut, kind: &str, entry: &Entry) {
        out.put_slice(format!(r#"{{"type":"{kind}","object":"#).as_bytes());
        match self.form {
            As::Object if self.kind.as_stored() => out.put_slice(&entry.json),
            As::Object => out.put_slice(table::object(&self.kind, entry).to_string().as_bytes()),
            As::Metadata => out.put_slice(table::metadata(entry).to_string().as_bytes()),
            As::Table => {
                let meta = json!({"resourceVersion": entry.version.to_string()});
                let rows = table::table(&self.kind, &[entry], &self.include, !self.columns_sent, meta);
                self.columns_sent = true;
                out.put_slice(rows.to_string().as_bytes());
            }
        }
        out.put_slice(b"}\n");
    }

    fn bookmark(&self, out: &mut BytesMut, ends_list: bool) {
        let mut meta = json!({"resourceVersion": self.cursor.to_string(), "creationTimestamp": null});
        if ends_list {
            meta["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let object = match self.form {
            As::Object => json!({"kind": self.kind.kind, "apiVersion": self.kind.api_version(), "metadata": meta}),
            As::Metadata => json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta}),
            As::Table => table::bookmark(meta),
        };
        out.put_slice(json!({"type": "BOOKMARK", "object": object}).to_string().as_bytes());
        out.put_u8(b'\n');
    }
}
