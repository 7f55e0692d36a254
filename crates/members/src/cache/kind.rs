//! One kind: its views, whether they are complete, and since when its watch fails.

use std::{collections::HashSet, sync::Arc, time::Instant};

use types::Subject;

use super::objects::Objects;
use crate::{MemberError, view::ObjectRef};

pub(crate) struct KindCache<V> {
    objects: Objects<V>,
    /// What a list brought so far.
    staging: Option<Objects<V>>,
    state: KindState,
}

/// How a kind's watch is doing.
#[derive(Debug, Clone, Default)]
pub(crate) struct KindState {
    /// Whether it is watched at all.
    pub(crate) watched: bool,
    /// Whether a list was complete, so that what is not here is not there.
    pub(crate) synced: bool,
    /// Why it fails at present, and since when it has without a success.
    pub(crate) failing: Option<(MemberError, Instant)>,
}

impl<V> Default for KindCache<V> {
    fn default() -> Self {
        Self { objects: Objects::default(), staging: None, state: KindState::default() }
    }
}

impl<V> KindCache<V> {
    pub(crate) fn start(&mut self) {
        self.state.watched = true;
    }

    pub(crate) fn relist_begin(&mut self) {
        self.staging = Some(Objects::default());
    }

    pub(crate) fn relist_add(&mut self, object: ObjectRef, view: V) {
        self.staging.get_or_insert_default().insert(object, view);
    }

    /// Returns whose views changed; at the first list all.
    pub(crate) fn relist_end(&mut self) -> HashSet<Subject> {
        let new = self.staging.take().unwrap_or_default();
        let changed = if self.state.synced { new.differences(&self.objects) } else { new.subjects() };
        self.objects = new;
        self.state.synced = true;
        self.works();
        changed
    }

    /// Returns whose views changed.
    pub(crate) fn apply(&mut self, object: ObjectRef, view: V) -> Vec<Subject> {
        self.works();
        self.objects.insert(object, view)
    }

    /// Returns whose it was.
    pub(crate) fn delete(&mut self, name: &str) -> Option<Subject> {
        self.works();
        self.objects.remove(name)
    }

    pub(crate) fn works(&mut self) {
        self.state.failing = None;
    }

    pub(crate) fn fail(&mut self, error: MemberError) {
        let since = self.state.failing.take().map_or_else(Instant::now, |(_, since)| since);
        self.state.failing = Some((error, since));
        self.staging = None;
    }

    /// What is kept is no longer complete. It stays: a pass that is under way must not take it all for gone.
    pub(crate) fn distrust(&mut self) {
        self.state.synced = false;
    }

    /// Is watched no longer, and nothing of it is known; returns whose objects there were.
    pub(crate) fn stop(&mut self) -> HashSet<Subject> {
        std::mem::take(self).objects.subjects()
    }

    pub(crate) const fn state(&self) -> &KindState {
        &self.state
    }

    pub(crate) fn of(&self, subject: Subject) -> Vec<Arc<V>> {
        self.objects.of(subject).collect()
    }

    pub(crate) fn all(&self) -> Vec<(Option<Subject>, Arc<V>)> {
        self.objects.all().map(|(subject, view)| (subject, view.clone())).collect()
    }

    /// Number of objects kept.
    pub(crate) fn len(&self) -> usize {
        self.objects.len()
    }

    /// Number of objects that will be kept: of a list under way, those that it brought so far.
    pub(crate) fn held(&self) -> usize {
        self.staging.as_ref().unwrap_or(&self.objects).len()
    }
}

#[cfg(test)]
mod tests {
    use types::ClusterId;

    use super::*;

    fn subject(cluster: i64) -> Subject {
        Subject::Cluster(ClusterId(cluster))
    }

    fn object(cluster: i64, name: &str, version: u64) -> ObjectRef {
        ObjectRef { subject: Some(subject(cluster)), name: name.into(), version }
    }

    fn subjects(clusters: &[i64]) -> HashSet<Subject> {
        clusters.iter().map(|id| subject(*id)).collect()
    }

    #[test]
    fn a_relist_replaces_everything_at_its_end_and_not_before() {
        let mut cache = KindCache::default();
        cache.relist_begin();
        cache.relist_add(object(1, "a", 1), 'a');
        assert!(!cache.state.synced && cache.of(subject(1)).is_empty());
        assert_eq!(cache.relist_end(), subjects(&[1]));
        assert!(cache.state.synced);
        assert_eq!(cache.apply(object(2, "b", 1), 'b'), [subject(2)]);

        cache.relist_begin();
        assert_eq!(*cache.of(subject(1))[0], 'a', "the old views stay until the new are complete");
        cache.relist_add(object(3, "c", 1), 'c');
        assert_eq!(cache.relist_end(), subjects(&[1, 2, 3]), "who lost something is told too");
        assert_eq!((cache.of(subject(1)).len(), cache.len()), (0, 1));
    }

    #[test]
    fn a_relist_names_only_whose_objects_changed() {
        let mut cache = KindCache::default();
        let list = |cache: &mut KindCache<char>, objects: &[(i64, &str, u64)]| {
            cache.relist_begin();
            objects.iter().for_each(|(cluster, name, version)| cache.relist_add(object(*cluster, name, *version), 'x'));
            cache.relist_end()
        };
        let before = [(1, "same", 1), (2, "newer", 1), (3, "gone", 1), (4, "moves", 1), (6, "a", 1), (6, "b", 1)];
        assert_eq!(list(&mut cache, &before), subjects(&[1, 2, 3, 4, 6]), "the first list names all");
        assert_eq!(list(&mut cache, &before), subjects(&[]));
        let after = [(1, "same", 1), (2, "newer", 2), (5, "moves", 1), (6, "a", 1), (7, "new", 1)];
        assert_eq!(list(&mut cache, &after), subjects(&[2, 3, 4, 5, 6, 7]));
        cache.distrust();
        assert_eq!(list(&mut cache, &after), subjects(&[1, 2, 5, 6, 7]), "what was known did not count: it is a first list");
    }

    #[test]
    fn an_object_that_changes_its_label_leaves_no_ghost() {
        let mut cache = KindCache::default();
        cache.apply(object(1, "a", 1), 'a');
        assert_eq!(cache.apply(object(2, "a", 2), 'b'), [subject(1), subject(2)]);
        assert_eq!((cache.of(subject(1)).len(), cache.of(subject(2)).len(), cache.len()), (0, 1, 1));
        assert_eq!(cache.delete("a"), Some(subject(2)));
        assert_eq!((cache.delete("a"), cache.len()), (None, 0));
    }

    #[test]
    fn what_says_nothing_new_names_nobody() {
        let mut cache = KindCache::default();
        assert_eq!(cache.apply(object(1, "a", 1), 'a'), [subject(1)]);
        assert_eq!(cache.apply(object(1, "a", 1), 'a'), []);
        assert_eq!(cache.apply(object(1, "a", 2), 'a'), [subject(1)]);
    }

    #[test]
    fn a_failing_watch_keeps_what_it_knew_and_since_when_it_fails() {
        let mut cache = KindCache::default();
        cache.relist_end();
        cache.apply(object(1, "a", 1), 'a');
        cache.fail(MemberError::Unreachable("no route".into()));
        let since = cache.state.failing.clone().map(|(_, since)| since);
        cache.fail(MemberError::TooLarge(1));
        let (error, still) = cache.state.failing.clone().unwrap();
        assert_eq!((cache.state.synced, cache.len(), error.reason(), Some(still)), (true, 1, "TooLarge", since));
        cache.works();
        assert!(cache.state.failing.is_none());
    }
}
