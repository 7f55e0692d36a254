//! One kind, listed once and then followed from that version on, for ever.
//!
//! Ours rather than `kube::runtime`'s: a line has a bound, the number of objects too, and we know since when nothing
//! was heard, which a watch that works again without news would not say there. A list that expires is made again, and so is that of a
//! watch that is silent for longer than bookmarks are apart: then the watch is no better than the list, and no worse; what
//! fails is tried again after a pause that grows until a watch has lasted for a while.

use std::{sync::Arc, time::Duration};

use http::Method;
use tokio::time::Instant;
use types::Subject;

use super::{
    event::{self, Event},
    pause,
};
use crate::{
    Cache, Member, MemberError, Result,
    cache::Watched,
    call::Call,
    list::Pages,
    member::REQUEST_DEADLINE,
    slim::Object as _,
    text::name,
    view::{ObjectRef, View as _},
};

/// After how long the server ends a watch; a dead connection is noticed a little later.
const WATCH_LASTS: Duration = Duration::from_secs(290);
const WATCH_SLACK: Duration = Duration::from_secs(5);
/// A watch that has lasted so long works, even if it has nothing to tell.
const SETTLES: Duration = Duration::from_secs(10);
/// Most time that a whole list may take.
const LIST_DEADLINE: Duration = Duration::from_secs(300);
/// The pause after there were too many objects: they are all listed again.
const TOO_MANY_PAUSE: Duration = Duration::from_secs(60);

/// What of a member is kept in memory at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Objects of all kinds.
    pub(super) objects: usize,
    /// Bytes of one line of a watch.
    pub(super) line: usize,
    /// How long a watch may say nothing. A server sends bookmarks about once a minute; what stands between may swallow them, and all else.
    pub(super) silence: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { objects: 200_000, line: 2 << 20, silence: Duration::from_secs(90) }
    }
}

#[derive(Clone)]
pub(super) struct Follower {
    pub(super) member: Arc<Member>,
    pub(super) cache: Arc<Cache>,
    pub(super) on_change: Arc<dyn Fn(Subject) + Send + Sync>,
    pub(super) selector: String,
    pub(super) limits: Limits,
}

/// How far a watch got.
#[derive(Default)]
struct Place {
    /// Everything up to this version is known; `None`: nothing is.
    version: Option<String>,
    /// Whether the present watch has lasted.
    settled: bool,
}

impl Follower {
    /// Follows one kind for ever.
    pub(super) async fn run<W: Watched>(self) {
        self.cache.update(|kinds| W::cache(kinds).start());
        let mut place = Place::default();
        let (mut failures, mut failing) = (0_u32, false);
        loop {
            place.settled = false;
            let result = self.follow::<W>(&mut place).await;
            failures = if place.settled { 0 } else { failures.saturating_add(1) };
            let mut wait = if failures == 0 { Duration::ZERO } else { pause::after(failures) };
            match result {
                Ok(()) => failing = false,
                Err(error) if error.is_expired() => place.version = None,
                Err(error) => {
                    if !std::mem::replace(&mut failing, !place.settled) {
                        tracing::warn!(member = self.member.name(), kind = W::KIND.as_str(), %error, "the watch fails");
                    }
                    if matches!(error, MemberError::TooManyObjects(_)) {
                        wait = TOO_MANY_PAUSE;
                        place.version = None;
                        self.cache.update(|kinds| W::cache(kinds).distrust());
                    }
                    self.cache.update(|kinds| W::cache(kinds).fail(error));
                }
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Until the time is up, or it fails.
    async fn follow<W: Watched>(&self, place: &mut Place) -> Result<()> {
        let version = match place.version.take() {
            Some(version) => version,
            None => match tokio::time::timeout(LIST_DEADLINE, self.list::<W>()).await {
                Ok(listed) => listed?,
                Err(_) => return Err(MemberError::Timeout(LIST_DEADLINE)),
            },
        };
        place.version = Some(version.clone());
        let call = Call::new(Method::GET, W::KIND.collection(None))
            .query("watch", "true")
            .query("allowWatchBookmarks", "true")
            .query("timeoutSeconds", WATCH_LASTS.as_secs().to_string())
            .query("resourceVersion", version)
            .query("labelSelector", self.selector.as_str());
        let mut lines = self.member.call_lines(call, REQUEST_DEADLINE, self.limits.line).await?;
        let begun = Instant::now();
        let mut heard = begun;
        loop {
            let until = (begun + if place.settled { WATCH_LASTS + WATCH_SLACK } else { SETTLES }).min(heard + self.limits.silence);
            let line = match tokio::time::timeout_at(until, lines.next()).await {
                Ok(Ok(Some(line))) => line,
                Ok(Ok(None)) => return Ok(()),
                // The server went away. Whether it is back shows at once.
                Ok(Err(MemberError::Unreachable(_))) if place.settled => return Ok(()),
                Ok(Err(error)) => return Err(error),
                Err(_) if heard.elapsed() >= self.limits.silence => {
                    // It may have been told and not heard: what is there is asked for.
                    place.version = None;
                    return Err(MemberError::Timeout(self.limits.silence));
                }
                Err(_) if place.settled => return Ok(()),
                Err(_) => {
                    place.settled = true;
                    self.cache.update(|kinds| W::cache(kinds).works());
                    continue;
                }
            };
            heard = Instant::now();
            self.member.reach.note(None);
            if !line.is_empty() {
                place.version = Some(self.bring_in::<W>(event::parse(&line)?)?);
            }
            place.settled |= begun.elapsed() >= SETTLES;
        }
    }

    /// Replaces what is known by what is there; answers as of which version.
    async fn list<W: Watched>(&self) -> Result<String> {
        let mut pages = Pages::new(W::KIND.collection(None)).selector(&self.selector).unguarded();
        self.cache.update(|kinds| W::cache(kinds).relist_begin());
        while let Some(objects) = pages.next::<W::Object>(&self.member).await? {
            self.cache.update(|kinds| {
                for object in objects {
                    let (named, view) = view_of::<W>(object);
                    W::cache(kinds).relist_add(named, view);
                }
                if kinds.held() > self.limits.objects { Err(MemberError::TooManyObjects(self.limits.objects)) } else { Ok(()) }
            })?;
        }
        self.tell(self.cache.update(|kinds| W::cache(kinds).relist_end()));
        Ok(pages.version())
    }

    /// Brings an event into the cache, and tells whose objects it touches; answers its version.
    fn bring_in<W: Watched>(&self, event: Event<W::Object>) -> Result<String> {
        let version = |object: &W::Object| name(object.meta().resource_version.clone());
        match event {
            Event::Applied(object) => {
                let version = version(&object);
                let (named, view) = view_of::<W>(object);
                let touched = self.cache.update(|kinds| {
                    let touched = W::cache(kinds).apply(named, view);
                    if kinds.held() > self.limits.objects { Err(MemberError::TooManyObjects(self.limits.objects)) } else { Ok(touched) }
                })?;
                self.tell(touched);
                Ok(version)
            }
            Event::Deleted(object) => {
                let named = ObjectRef::of(object.meta());
                self.tell(self.cache.update(|kinds| W::cache(kinds).delete(&named.name)));
                Ok(version(&object))
            }
            Event::Bookmark(version) => {
                self.cache.update(|kinds| W::cache(kinds).works());
                Ok(name(Some(version)))
            }
        }
    }

    pub(super) fn tell(&self, touched: impl IntoIterator<Item = Subject>) {
        touched.into_iter().for_each(|subject| (self.on_change)(subject));
    }
}

fn view_of<W: Watched>(object: W::Object) -> (ObjectRef, W::View) {
    let named = ObjectRef::of(object.meta());
    let view = W::View::from(object);
    let version = view.version().unwrap_or(named.version);
    (ObjectRef { version, ..named }, view)
}
