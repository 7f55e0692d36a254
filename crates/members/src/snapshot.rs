//! Everything of some kinds as it is at one time, for who looks at a whole member.
//!
//! Apart from the caches, which hold only what carries our label. Each kind is listed once, page by page, a few at a
//! time, and keeps its own error: a kind that may not be listed does not hide the others. One that does not fit
//! the limits is an error too, never a part of itself: what is missing would be taken for absent.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures::StreamExt as _;
use serde_json::Value;
use tokio::time::Instant;
use types::Timestamp;

use crate::{Member, MemberError, Result, list::Pages};

/// A kind of object, and what the API calls its collection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceType {
    /// Empty for the core group.
    pub group: String,
    /// As in `v1`.
    pub version: String,
    /// As in `Pod`.
    pub kind: String,
    /// As in `pods`.
    pub plural: String,
}

impl ResourceType {
    fn collection(&self) -> String {
        let Self { group, version, kind: _, plural } = self;
        if group.is_empty() { format!("/api/{version}/{plural}") } else { format!("/apis/{group}/{version}/{plural}") }
    }
}

/// What a snapshot may take.
#[derive(Debug, Clone, Copy)]
pub struct SnapshotLimits {
    /// Bytes of all answers together.
    pub bytes: usize,
    /// Objects of all kinds together.
    pub objects: usize,
    /// For all of it.
    pub deadline: Duration,
    /// Kinds listed at a time.
    pub parallel: usize,
}

impl Default for SnapshotLimits {
    fn default() -> Self {
        Self { bytes: 64 << 20, objects: 50_000, deadline: Duration::from_secs(60), parallel: 4 }
    }
}

/// What was there.
#[derive(Debug)]
pub struct Snapshot {
    /// All objects of each kind, as the API server printed them, or why they are not known.
    pub kinds: BTreeMap<ResourceType, Result<Vec<Value>>>,
    /// When it was begun.
    pub taken_at: Timestamp,
}

/// What was read so far, by all.
#[derive(Default)]
struct Taken {
    bytes: AtomicUsize,
    objects: AtomicUsize,
}

impl Member {
    /// Lists every object of these kinds.
    pub async fn snapshot(&self, kinds: &[ResourceType], limits: SnapshotLimits) -> Snapshot {
        let (taken_at, ends) = (Timestamp::now(), Instant::now() + limits.deadline);
        let taken = Taken::default();
        let lists = kinds.iter().map(|kind| {
            let taken = &taken;
            async move {
                let listed = tokio::time::timeout_at(ends, self.list_whole(kind, &limits, taken)).await;
                (kind.clone(), listed.unwrap_or(Err(MemberError::Timeout(limits.deadline))))
            }
        });
        let kinds = futures::stream::iter(lists).buffer_unordered(limits.parallel.max(1)).collect().await;
        Snapshot { kinds, taken_at }
    }

    /// A list that expires half-way is made again once.
    async fn list_whole(&self, kind: &ResourceType, limits: &SnapshotLimits, taken: &Taken) -> Result<Vec<Value>> {
        match self.list_once(kind, limits, taken).await {
            Err(error) if error.is_expired() => self.list_once(kind, limits, taken).await,
            other => other,
        }
    }

    async fn list_once(&self, kind: &ResourceType, limits: &SnapshotLimits, taken: &Taken) -> Result<Vec<Value>> {
        let mut pages = Pages::new(kind.collection());
        let (mut objects, mut bytes) = (Vec::new(), 0);
        let result = loop {
            match pages.next::<Value>(self).await {
                Ok(Some(page)) => {
                    bytes += pages.size();
                    let all_bytes = taken.bytes.fetch_add(pages.size(), Ordering::Relaxed) + pages.size();
                    let all_objects = taken.objects.fetch_add(page.len(), Ordering::Relaxed) + page.len();
                    objects.extend(page);
                    if all_bytes > limits.bytes {
                        break Err(MemberError::TooLarge(limits.bytes));
                    }
                    if all_objects > limits.objects {
                        break Err(MemberError::TooManyObjects(limits.objects));
                    }
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        if let Err(error) = result {
            // It is not kept, so others may have its share.
            taken.bytes.fetch_sub(bytes, Ordering::Relaxed);
            taken.objects.fetch_sub(objects.len(), Ordering::Relaxed);
            return Err(error);
        }
        Ok(objects)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::fake::{Answer, Fake};

    fn kind(plural: &str) -> ResourceType {
        ResourceType { group: "g".into(), version: "v1".into(), kind: plural.to_uppercase(), plural: plural.into() }
    }

    async fn taken(fake: &Fake, plurals: &[&str], limits: SnapshotLimits) -> Vec<(String, Result<usize, &'static str>)> {
        let kinds: Vec<_> = plurals.iter().map(|plural| kind(plural)).collect();
        let snapshot = fake.member.snapshot(&kinds, limits).await;
        assert!(snapshot.taken_at <= Timestamp::now());
        let words = snapshot.kinds.into_iter().map(|(kind, listed)| (kind.plural, listed.map(|list| list.len()).map_err(|error| error.reason())));
        words.collect()
    }

    fn page(objects: usize, go_on: &str) -> Answer {
        let items: Vec<_> = (0..objects).map(|n| json!({"metadata": {"name": n.to_string()}})).collect();
        Answer::json(&json!({"metadata": {"resourceVersion": "7", "continue": go_on}, "items": items}))
    }

    #[tokio::test]
    async fn each_kind_keeps_its_objects_or_its_own_error() {
        let fake = Fake::start(|asked| match (asked.path().trim_start_matches("GET /apis/g/v1/"), asked.query("continue").as_deref()) {
            ("paged", None) => page(3, "two"),
            ("paged", Some("two")) => page(3, "three"),
            ("paged", Some(_)) => page(1, ""),
            ("none", _) => Answer::json(&json!({"metadata": {}, "items": null})),
            ("refused", _) => Answer::refusal(403, "Forbidden", "no"),
            ("missing", _) => Answer::refusal(404, "NotFound", "no such kind"),
            ("hangs", _) => Answer::hang(),
            ("endless", _) => Answer::endless(),
            ("pages-for-ever", _) => page(500, "more"),
            ("nonsense", _) => Answer::text(200, "<html>"),
            _ => Answer::refusal(500, "", "unexpected"),
        })
        .await;
        let limits = SnapshotLimits { deadline: Duration::from_secs(3), objects: 5_000, ..SnapshotLimits::default() };
        let plurals = ["paged", "none", "refused", "missing", "endless", "pages-for-ever", "nonsense", "hangs"];
        let mut expected = [
            ("paged", Ok(7)),
            ("none", Ok(0)),
            ("refused", Err("Forbidden")),
            ("missing", Err("NotFound")),
            ("hangs", Err("Timeout")),
            ("endless", Err("TooLarge")),
            ("pages-for-ever", Err("TooManyObjects")),
            ("nonsense", Err("BadAnswer")),
        ]
        .map(|(plural, listed)| (plural.to_owned(), listed));
        expected.sort_unstable_by_key(|(plural, _)| plural.to_uppercase());
        let begun = Instant::now();
        assert_eq!(taken(&fake, &plurals, limits).await, expected);
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn a_list_that_expires_is_made_again_once() {
        let asked_for = Arc::new(AtomicUsize::new(0));
        let count = asked_for.clone();
        let fake = Fake::start(move |asked| {
            let first = count.fetch_add(1, Ordering::SeqCst) < 2;
            match (asked.has("always") || first, asked.query("continue")) {
                (_, None) => page(2, "more"),
                (true, Some(_)) => Answer::refusal(410, "Expired", "too old"),
                (false, Some(_)) => page(1, ""),
            }
        })
        .await;
        assert_eq!(taken(&fake, &["once"], SnapshotLimits::default()).await, [("once".to_owned(), Ok(3))]);
        assert_eq!(taken(&fake, &["always"], SnapshotLimits::default()).await, [("always".to_owned(), Err("Expired"))]);
        assert_eq!(asked_for.load(Ordering::SeqCst), 8);
    }

    #[tokio::test]
    async fn a_page_that_is_too_large_is_asked_for_in_parts() {
        let fake = Fake::start(|asked| match asked.query("limit").and_then(|limit| limit.parse::<usize>().ok()) {
            Some(limit) if limit > 100 => Answer::endless(),
            Some(limit) if asked.query("continue").is_none() => page(limit, "rest"),
            _ => page(1, ""),
        })
        .await;
        assert_eq!(taken(&fake, &["fat"], SnapshotLimits::default()).await, [("fat".to_owned(), Ok(63))]);
    }

    #[tokio::test]
    async fn all_kinds_share_one_limit_of_bytes() {
        let fake = Fake::start(|_| Answer::json(&json!({"metadata": {}, "items": ["x".repeat(1_000)]}))).await;
        let limits = SnapshotLimits { bytes: 2_500, parallel: 1, ..SnapshotLimits::default() };
        let listed = taken(&fake, &["a", "b", "c"], limits).await;
        assert_eq!(listed.iter().filter(|(_, result)| result == &Ok(1)).count(), 2);
        assert_eq!(listed.iter().filter(|(_, result)| result == &Err("TooLarge")).count(), 1);
    }
}
