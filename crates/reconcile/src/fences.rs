//! The fences of all leases that this replica has: its heartbeat extends them together, and each can be taken down alone.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use members::Fence;
use tokio::time::Instant;
use types::MemberId;

/// Until when this replica may write to which members. Dropping it forbids everything.
pub(crate) struct Fences(Mutex<State>);

struct State {
    until: Instant,
    standing: HashMap<MemberId, Fence>,
}

impl Fences {
    /// None, of a replica that lives until then.
    pub(crate) fn until(until: Instant) -> Self {
        Self(Mutex::new(State { until, standing: HashMap::new() }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The replica lives longer.
    pub(crate) fn extend(&self, until: Instant) {
        let mut state = self.lock();
        state.until = until;
        state.standing.values().for_each(|fence| fence.extend(until.into_std()));
    }

    /// A member's, for as long as the replica lives or until it is revoked.
    pub(crate) fn of(&self, member: MemberId) -> Fence {
        let mut state = self.lock();
        let fence = Fence::until(state.until.into_std());
        if let Some(before) = state.standing.insert(member, fence.clone()) {
            before.revoke();
        }
        fence
    }

    /// Nothing is written to that member any more.
    pub(crate) fn revoke(&self, member: MemberId) {
        // Out of the list first: no heartbeat extends it again.
        if let Some(fence) = self.lock().standing.remove(&member) {
            fence.revoke();
        }
    }
}

impl Drop for Fences {
    fn drop(&mut self) {
        let state = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.standing.values().for_each(Fence::revoke);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_heartbeat_extends_all_but_those_that_were_taken_down() {
        let soon = Instant::now() + Duration::from_secs(60);
        let fences = Fences::until(soon);
        let (kept, revoked) = (fences.of(MemberId(1)), fences.of(MemberId(2)));
        assert!(kept.remaining().is_some() && revoked.remaining().is_some());
        fences.revoke(MemberId(2));
        fences.extend(soon + Duration::from_secs(60));
        assert!(kept.remaining() > Some(Duration::from_secs(90)));
        assert_eq!(revoked.remaining(), None);
        let again = fences.of(MemberId(1));
        assert_eq!(kept.remaining(), None, "there is one a member");
        drop(fences);
        assert_eq!(again.remaining(), None);
    }
}
