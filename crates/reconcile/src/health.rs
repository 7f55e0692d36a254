//! What `/readyz` may want to know of reconciling.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use members::{Cache, KubeVirt, Member};
use types::MemberId;

use crate::keep_running::Running;

/// Looks into reconciling as it runs in this process.
#[derive(Clone, Default)]
pub struct Health {
    running: Running,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    members: BTreeMap<MemberId, Known>,
    last_error: Option<String>,
}

struct Known {
    member: Arc<Member>,
    cache: Option<Arc<Cache>>,
    died: bool,
}

/// How reconciling of one member is doing at one moment.
#[derive(Debug, Clone)]
pub struct HealthSnapshot {
    /// The member's name.
    pub member: String,
    /// Whether it runs at all. `false` after it was cancelled, and while it is started again, having died of a defect.
    pub running: bool,
    /// Whether this process reconciles the member. `false` is healthy: another replica may.
    pub lease_held: bool,
    /// Whether the member's objects are known. Only meaningful with the lease.
    pub synced: bool,
    /// Whether the member answered when last asked.
    pub reachable: bool,
    /// Whether the member serves KubeVirt.
    pub kubevirt: KubeVirt,
    /// What does not work at present: a watch, the connection, the store.
    pub trouble: Option<String>,
}

impl Health {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn running(&self) -> Running {
        self.running.clone()
    }

    /// These are the members that this process could reconcile.
    pub(crate) fn note_members(&self, members: impl IntoIterator<Item = (MemberId, Arc<Member>)>) {
        let mut state = self.lock();
        let mut before = std::mem::take(&mut state.members);
        for (id, member) in members {
            let (cache, died) = before.remove(&id).map_or((None, false), |known| (known.cache, known.died));
            if cache.is_none() {
                note_lease(&member, false);
            }
            state.members.insert(id, Known { member, cache, died });
        }
        // Those that are no members any more and are held nevertheless, for a moment.
        state.members.extend(before.into_iter().filter(|(_, known)| known.cache.is_some()));
    }

    /// This process reconciles that member now.
    pub(crate) fn note_held(&self, member: MemberId, cache: Arc<Cache>) {
        self.with(member, |known| {
            note_lease(&known.member, true);
            known.cache = Some(cache);
            known.died = false;
        });
    }

    /// And now it does not.
    pub(crate) fn note_not_held(&self, member: MemberId) {
        self.with(member, |known| {
            note_lease(&known.member, false);
            known.cache = None;
        });
    }

    /// Reconciling it died of a defect.
    pub(crate) fn note_died(&self, member: MemberId) {
        self.with(member, |known| known.died = true);
    }

    pub(crate) fn note_error(&self, error: Option<String>) {
        self.lock().last_error = error;
    }

    fn with(&self, member: MemberId, f: impl FnOnce(&mut Known)) {
        if let Some(known) = self.lock().members.get_mut(&member) {
            f(known);
        }
    }

    /// How each member is doing now.
    pub fn snapshot(&self) -> Vec<HealthSnapshot> {
        let running = self.running.get();
        let state = self.lock();
        let snapshot = |Known { member, cache, died }: &Known| {
            let unreachable = member.trouble();
            let unfollowed = cache.as_ref().and_then(|cache| cache.trouble());
            HealthSnapshot {
                member: member.name().to_owned(),
                running: running && !died,
                lease_held: cache.is_some(),
                synced: cache.as_ref().is_some_and(|cache| cache.synced()),
                reachable: unreachable.is_none(),
                kubevirt: cache.as_ref().map_or(KubeVirt::Unknown, |cache| cache.kubevirt()),
                trouble: unreachable.map(|error| error.to_string()).or(unfollowed).or_else(|| state.last_error.clone()),
            }
        };
        state.members.values().map(snapshot).collect()
    }
}

fn note_lease(member: &Member, held: bool) {
    metrics::gauge!("kubekcloud_lease_held", "member" => member.name().to_owned()).set(f64::from(u8::from(held)));
}
