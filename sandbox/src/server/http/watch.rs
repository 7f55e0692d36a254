//! Watches: newline-delimited JSON events from a version on, or from now with the present objects first.
//!
//! A watch that is too far behind gets an ERROR event with code 410 in the stream, never an HTTP error: clients then
//! list again. Streaming lists (`sendInitialEvents`) end their first part with the annotated bookmark.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use serde_json::json;
use tokio::sync::watch::Receiver;
use tokio::time::Instant;

use super::list_options::{self, ListOptions};
use super::reply::{self, Reply};
use super::request::{As, Request};
use super::served::Served;
use super::target::Target;
use super::{list, table};
use crate::machinery::notation::value::set;
use crate::machinery::status::{Answer, Refusal};
use crate::machinery::{registry::Kind, select::Selector};
use crate::server::store::{Change, Entry, Query, Replay};

/// How often an idle watch is told the newest version.
const BOOKMARKS: Duration = Duration::from_secs(60);
/// How long a watch lasts that doesn't say.
const LASTS: u64 = 1_800;
/// Changes looked at, and about as many bytes sent, in one piece: what a slow client holds in memory.
const BATCH: usize = 64;
const PIECE: usize = 64 << 10;

struct Watch {
    served: Arc<Served>,
    kind: Arc<Kind>,
    table: String,
    namespace: String,
    selector: Selector,
    form: As,
    include: String,
    bookmarks: bool,
    changes: Receiver<u64>,
    cursor: u64,
    /// What goes out before any change: objects, then perhaps the bookmark that ends them.
    present: std::vec::IntoIter<Arc<Entry>>,
    end_of_list: bool,
    ends: Instant,
    next_bookmark: Instant,
    columns_sent: bool,
    done: bool,
}

pub(crate) fn watch(served: &Arc<Served>, target: &Target, request: &Request) -> Answer<Reply> {
    let kind = target.kind.clone();
    let options = ListOptions::parse(&kind, request, true)?;
    let asked = list_options::version(options.version).map_err(|why| Refusal::new(500, "", why))?.unwrap_or(0);
    let newest = served.cluster.store.version();
    if options.initial == Some(true) && asked > newest {
        let refusal = Refusal::too_large_version(asked, newest);
        return Ok(reply::stream("application/json", stream::iter([error(&refusal)])));
    }
    let now = Instant::now();
    let mut watch = Watch {
        changes: served.cluster.store.changes(&kind.table()),
        served: served.clone(),
        table: kind.table(),
        kind,
        namespace: target.namespace.clone(),
        selector: options.selector,
        form: request.accept(),
        include: table::include(request)?.to_owned(),
        bookmarks: request.flag("allowWatchBookmarks"),
        cursor: if asked == 0 { newest } else { asked },
        present: Vec::new().into_iter(),
        end_of_list: false,
        ends: now + Duration::from_secs(options.timeout.filter(|seconds| *seconds > 0).unwrap_or(LASTS).min(86_400)),
        next_bookmark: now + BOOKMARKS,
        columns_sent: false,
        done: false,
    };
    if options.initial.unwrap_or(asked == 0) {
        watch.start_with_list(options.initial == Some(true));
    }
    let pieces = stream::unfold(watch, |mut watch| async move { watch.next().await.map(|piece| (piece, watch)) });
    Ok(reply::stream("application/json", pieces))
}

fn error(refusal: &Refusal) -> Bytes {
    Bytes::from(format!("{}\n", json!({"type": "ERROR", "object": refusal.to_value()})))
}

impl Watch {
    fn start_with_list(&mut self, bookmark: bool) {
        let query = Query { namespace: &self.namespace, selector: self.selector.clone(), ..Query::default() };
        if let Some(page) = self.served.cluster.store.list(&self.table, &query) {
            self.cursor = page.version;
            self.present = page.entries.into_iter();
            self.end_of_list = bookmark && self.bookmarks;
        }
    }

    /// A piece of what is there at the start.
    fn present(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        while out.len() < PIECE {
            let Some(entry) = self.present.next() else { break };
            self.event(&mut out, "ADDED", &entry);
        }
        if self.present.len() == 0 && std::mem::take(&mut self.end_of_list) {
            self.bookmark(&mut out, true);
        }
        out
    }

    /// The next piece of the stream; `None` ends it.
    async fn next(&mut self) -> Option<Bytes> {
        let piece = self.present();
        if !piece.is_empty() {
            return Some(piece.into());
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
                        return Some(piece.into());
                    }
                }
                () = self.served.stop.cancelled() => return None,
            }
        }
        None
    }

    fn on_time(&mut self) -> Vec<u8> {
        let now = Instant::now();
        self.next_bookmark = now + BOOKMARKS;
        self.done = now >= self.ends;
        let mut out = Vec::new();
        if self.bookmarks {
            self.bookmark(&mut out, false);
        }
        out
    }

    /// Some of what happened since the cursor and is selected; empty when there is nothing more.
    fn pending(&mut self) -> Bytes {
        let mut out = Vec::new();
        loop {
            match self.served.cluster.store.replay(&self.table, self.cursor, BATCH) {
                Replay::TooOld => {
                    self.done = true;
                    let newest = self.served.cluster.store.version();
                    return error(&Refusal::gone(format!("too old resource version: {} ({newest})", self.cursor)));
                }
                Replay::Changes(changes, upto) => {
                    let last = changes.len() < BATCH;
                    for change in &changes {
                        self.change(&mut out, change);
                        if out.len() >= PIECE {
                            self.cursor = change.entry.version;
                            return out.into();
                        }
                    }
                    self.cursor = upto;
                    if last || !out.is_empty() {
                        return out.into();
                    }
                }
            }
        }
    }

    fn change(&mut self, out: &mut Vec<u8>, change: &Change) {
        let entry = &change.entry;
        if !self.namespace.is_empty() && *entry.key.namespace != *self.namespace {
            return;
        }
        let before = change.before.as_ref().filter(|b| self.selector.matches(b));
        let was = before.is_some();
        let is = !change.deleted && self.selector.matches(entry);
        match (was, is) {
            (false, true) => self.event(out, "ADDED", entry),
            (true, true) => self.event(out, "MODIFIED", entry),
            (true, false) if change.deleted => self.event(out, "DELETED", entry),
            // It left the selection: shown as it was last, at the version at which it left.
            (true, false) => {
                let mut last = before.map(|b| b.value()).unwrap_or_default();
                set(&mut last, "metadata.resourceVersion", json!(entry.version.to_string()));
                self.event(out, "DELETED", &Entry::unstored(&self.kind.fields, &last, entry.version));
            }
            (false, false) => {}
        }
    }

    fn event(&mut self, out: &mut Vec<u8>, kind: &str, entry: &Entry) {
        out.extend_from_slice(format!(r#"{{"type":"{kind}","object":"#).as_bytes());
        match self.form {
            As::Object => list::object(&self.kind, entry, out),
            As::Metadata => out.extend_from_slice(table::metadata(entry).to_string().as_bytes()),
            As::Table => {
                let meta = json!({"resourceVersion": entry.version.to_string()});
                let rows = table::table(&self.kind, &[entry], &self.include, !self.columns_sent, meta);
                self.columns_sent = true;
                out.extend_from_slice(rows.to_string().as_bytes());
            }
        }
        out.extend_from_slice(b"}\n");
    }

    fn bookmark(&self, out: &mut Vec<u8>, ends_list: bool) {
        let mut meta = json!({"resourceVersion": self.cursor.to_string()});
        if ends_list {
            meta["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let object = match self.form {
            As::Object => json!({"kind": self.kind.kind, "apiVersion": self.kind.api_version(), "metadata": meta}),
            As::Metadata => json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta}),
            As::Table => table::bookmark(meta),
        };
        out.extend_from_slice(json!({"type": "BOOKMARK", "object": object}).to_string().as_bytes());
        out.push(b'\n');
    }
}
