//! The members that there are, by id: shared by all that need one, and changed while they run.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use tokio::sync::watch;
use types::MemberId;

use crate::Member;

type Members = BTreeMap<MemberId, Arc<Member>>;

/// The members that there are. Clones share them; who has got one keeps it to the end of what it does with it.
#[derive(Clone, Default)]
pub struct Fleet(Arc<Inner>);

struct Inner {
    /// Replaced as a whole, so that a read copies a pointer.
    members: RwLock<Arc<Members>>,
    changes: watch::Sender<u64>,
}

impl Default for Inner {
    fn default() -> Self {
        Self { members: RwLock::default(), changes: watch::Sender::new(0) }
    }
}

impl Fleet {
    /// Adds a member, or puts it in the place of one with another credential or name. One that is no newer changes nothing:
    /// its connections, and what is known of whether it answers, stay.
    pub fn put(&self, member: Member) -> Arc<Member> {
        let member = Arc::new(member);
        self.change(|members| match members.get(&member.id()) {
            Some(known) if known.credential_version() >= member.credential_version() && known.name() == member.name() => (false, known.clone()),
            Some(known) if known.credential_version() > member.credential_version() => (false, known.clone()),
            _ => {
                members.insert(member.id(), member.clone());
                (true, member)
            }
        })
    }

    /// Takes a member out; returns it, if it was there.
    pub fn remove(&self, id: MemberId) -> Option<Arc<Member>> {
        self.change(|members| {
            let removed = members.remove(&id);
            (removed.is_some(), removed)
        })
    }

    /// A member by its id.
    pub fn get(&self, id: MemberId) -> Option<Arc<Member>> {
        self.members().get(&id).cloned()
    }

    /// Members of a name, by id: a name is unique to its owner only, and whose it is stands in the store.
    pub fn named(&self, name: &str) -> Vec<Arc<Member>> {
        self.members().values().filter(|member| member.name() == name).cloned().collect()
    }

    /// All of them at this moment, by id.
    pub fn all(&self) -> Vec<Arc<Member>> {
        self.members().values().cloned().collect()
    }

    /// Fires after each change.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    fn members(&self) -> Arc<Members> {
        self.0.members.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change<T>(&self, change: impl FnOnce(&mut Members) -> (bool, T)) -> T {
        let mut members = self.0.members.write().unwrap_or_else(PoisonError::into_inner);
        let (changed, result) = change(Arc::make_mut(&mut members));
        drop(members);
        if changed {
            self.0.changes.send_modify(|count| *count += 1);
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Identity;

    fn member(id: i64, name: &str, credential_version: i64) -> Member {
        let identity = Identity { id: MemberId(id), name: name.into(), credential_version };
        Member::from_config(identity, kube::Config::new("http://127.0.0.1:1".parse().unwrap())).unwrap()
    }

    #[tokio::test]
    async fn members_come_go_and_are_replaced_while_others_look_on() {
        let fleet = Fleet::default();
        let mut changes = fleet.clone().changes();
        let first = fleet.put(member(1, "a", 1));
        fleet.put(member(2, "a", 1));
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        assert!(Arc::ptr_eq(&fleet.put(member(1, "a", 1)), &first), "nothing new: its connections stay");
        assert!(Arc::ptr_eq(&fleet.put(member(1, "old name", 0)), &first), "an older credential does not come back");
        assert!(!changes.has_changed().unwrap());

        let rotated = fleet.put(member(1, "a", 2));
        assert!(changes.has_changed().unwrap() && !Arc::ptr_eq(&rotated, &first));
        assert_eq!(first.credential_version(), 1, "who has it goes on with it");
        fleet.put(member(1, "b", 2));
        assert_eq!((fleet.named("a").len(), fleet.named("b")[0].id(), fleet.all().len()), (1, MemberId(1), 2));
        assert_eq!(fleet.remove(MemberId(1)).map(|gone| gone.id()), Some(MemberId(1)));
        assert!(fleet.get(MemberId(1)).is_none() && fleet.remove(MemberId(1)).is_none() && fleet.get(MemberId(2)).is_some());
    }
}
