//! Subjects that are due, taken owner by owner, so that one tenant's thousand do not make another's one wait.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound::{Excluded, Unbounded},
};

use types::{Subject, UserId};

/// Of each owner the first that came; of the owners the next after the last one served.
#[derive(Debug, Default)]
pub(super) struct Turns {
    owners: BTreeMap<UserId, BTreeSet<(u64, Subject)>>,
    served: Option<UserId>,
}

impl Turns {
    pub(super) fn insert(&mut self, owner: UserId, serial: u64, subject: Subject) {
        self.owners.entry(owner).or_default().insert((serial, subject));
    }

    pub(super) fn remove(&mut self, owner: UserId, serial: u64, subject: Subject) {
        let Some(subjects) = self.owners.get_mut(&owner) else { return };
        subjects.remove(&(serial, subject));
        if subjects.is_empty() {
            self.owners.remove(&owner);
        }
    }

    pub(super) fn pop(&mut self) -> Option<Subject> {
        let after = self.served.and_then(|served| self.owners.range((Excluded(served), Unbounded)).next());
        let (&owner, subjects) = after.or_else(|| self.owners.iter().next())?;
        let &(serial, subject) = subjects.first()?;
        self.remove(owner, serial, subject);
        self.served = Some(owner);
        Some(subject)
    }
}

#[cfg(test)]
mod tests {
    use types::ClusterId;

    use super::*;

    #[test]
    fn owners_take_turns_and_each_is_served_in_order() {
        let (many, few) = (UserId(1), UserId(2));
        let subject = |id| Subject::Cluster(ClusterId(id));
        let mut turns = Turns::default();
        (1..=4).for_each(|id| turns.insert(many, id, subject(id as i64)));
        turns.insert(few, 5, subject(50));
        assert_eq!(turns.pop(), Some(subject(1)));
        assert_eq!(turns.pop(), Some(subject(50)));
        assert_eq!(turns.pop(), Some(subject(2)));
        turns.insert(few, 6, subject(60));
        turns.remove(many, 3, subject(3));
        assert_eq!(turns.pop(), Some(subject(60)));
        assert_eq!(turns.pop(), Some(subject(4)));
        assert_eq!(turns.pop(), None);
        assert!(turns.owners.is_empty());
    }
}
