//! Views of one kind, by subject and name.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use types::Subject;

use crate::view::ObjectRef;

struct Entry<V> {
    view: Arc<V>,
    version: u64,
}

/// Namespace and name, shared by both maps.
type Name = Arc<str>;

pub(super) struct Objects<V> {
    /// By subject; `None` holds those that name none.
    by_subject: HashMap<Option<Subject>, HashMap<Name, Entry<V>>>,
    /// Whose each object is: a changed label moves it, and does not leave a ghost behind.
    subjects: HashMap<Name, Option<Subject>>,
}

impl<V> Default for Objects<V> {
    fn default() -> Self {
        Self { by_subject: HashMap::new(), subjects: HashMap::new() }
    }
}

impl<V> Objects<V> {
    /// Returns whose view changed by it: none when it says nothing new, two when it moved.
    pub(super) fn insert(&mut self, object: ObjectRef, view: V) -> Vec<Subject> {
        let ObjectRef { subject, name, version } = object;
        let mut touched = Vec::new();
        let name = match self.subjects.get_key_value(&*name) {
            Some((known, at)) if *at == subject => known.clone(),
            Some(_) => {
                touched.extend(self.remove(&name));
                Name::from(name)
            }
            None => Name::from(name),
        };
        self.subjects.insert(name.clone(), subject);
        let before = self.by_subject.entry(subject).or_default().insert(name, Entry { view: Arc::new(view), version });
        if before.is_none_or(|before| before.version != version) {
            touched.extend(subject);
        }
        touched
    }

    /// Returns whose it was.
    pub(super) fn remove(&mut self, name: &str) -> Option<Subject> {
        let subject = self.subjects.remove(name)?;
        if let Some(of_subject) = self.by_subject.get_mut(&subject) {
            of_subject.remove(name);
            if of_subject.is_empty() {
                self.by_subject.remove(&subject);
            }
        }
        subject
    }

    pub(super) fn of(&self, subject: Subject) -> impl Iterator<Item = Arc<V>> {
        self.by_subject.get(&Some(subject)).into_iter().flatten().map(|(_, entry)| entry.view.clone())
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (Option<Subject>, &Arc<V>)> {
        self.by_subject.iter().flat_map(|(subject, entries)| entries.values().map(|entry| (*subject, &entry.view)))
    }

    pub(super) fn len(&self) -> usize {
        self.subjects.len()
    }

    /// All that have something here.
    pub(super) fn subjects(&self) -> HashSet<Subject> {
        self.by_subject.keys().copied().flatten().collect()
    }

    /// Those of which the two differ.
    pub(super) fn differences(&self, other: &Self) -> HashSet<Subject> {
        let differs = |subject: &Subject| match (self.by_subject.get(&Some(*subject)), other.by_subject.get(&Some(*subject))) {
            (Some(mine), Some(its)) => {
                mine.len() != its.len() || mine.iter().any(|(name, entry)| its.get(name).is_none_or(|other| other.version != entry.version))
            }
            _ => true,
        };
        let mut either = self.subjects();
        either.extend(other.subjects());
        either.retain(differs);
        either
    }
}
