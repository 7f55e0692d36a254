//! The leases that this replica has at present, each with a task that works under it.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use store::Lease;
use tokio::{
    task::{Id, JoinError, JoinSet},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use types::MemberId;

use crate::backoff::backoff;

/// How long a member whose task died is left to others, at first and at most.
const REST_FIRST: Duration = Duration::from_millis(500);
const REST_MOST: Duration = Duration::from_secs(2);
/// After having worked for so long, a death counts as the first.
const FORGIVE: Duration = Duration::from_secs(60);

/// Tasks under leases. Dropping it ends them.
#[derive(Default)]
pub(crate) struct Tenures {
    tasks: JoinSet<()>,
    members: HashMap<Id, MemberId>,
    held: HashMap<MemberId, Tenure>,
    deaths: HashMap<MemberId, Deaths>,
}

struct Tenure {
    lease: Lease,
    credential_version: i64,
    stop: CancellationToken,
    started: Instant,
}

struct Deaths {
    count: u32,
    until: Instant,
}

/// How a tenure ended.
pub(crate) struct Ended {
    pub(crate) member: MemberId,
    pub(crate) lease: Lease,
    /// Nobody asked for it: a defect. What is known of it.
    pub(crate) died: Option<Option<JoinError>>,
}

impl Tenures {
    /// Works under a lease until the token that `work` is given.
    pub(crate) fn start<F>(&mut self, member: MemberId, lease: Lease, credential_version: i64, work: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let task = self.tasks.spawn(work(stop.clone()));
        self.members.insert(task.id(), member);
        self.held.insert(member, Tenure { lease, credential_version, stop, started: Instant::now() });
    }

    /// Has it end.
    pub(crate) fn stop(&self, member: MemberId) {
        if let Some(tenure) = self.held.get(&member) {
            tenure.stop.cancel();
        }
    }

    /// Members that are worked on, and are to be.
    pub(crate) fn members(&self) -> BTreeSet<MemberId> {
        self.held.iter().filter(|(_, tenure)| !tenure.stop.is_cancelled()).map(|(member, _)| *member).collect()
    }

    /// Whether nothing is left of an earlier tenure of that member, nor of a death of it.
    pub(crate) fn may_start(&self, member: MemberId) -> bool {
        let rests = self.deaths.get(&member).is_some_and(|deaths| Instant::now() < deaths.until);
        !rests && !self.held.contains_key(&member)
    }

    /// Whether it works with another credential than that.
    pub(crate) fn is_outdated(&self, member: MemberId, credential_version: i64) -> bool {
        self.held.get(&member).is_some_and(|tenure| tenure.credential_version != credential_version)
    }

    /// Waits for the end of one.
    pub(crate) async fn ended(&mut self) -> Ended {
        loop {
            let (id, error) = match self.tasks.join_next_with_id().await {
                Some(Ok((id, ()))) => (id, None),
                Some(Err(error)) => (error.id(), Some(error)),
                None => std::future::pending().await,
            };
            let member = self.members.remove(&id);
            let Some((member, tenure)) = member.and_then(|member| Some((member, self.held.remove(&member)?))) else { continue };
            let died = (!tenure.stop.is_cancelled()).then_some(error);
            if died.is_some() {
                self.note_death(member, &tenure);
            } else {
                self.deaths.remove(&member);
            }
            return Ended { member, lease: tenure.lease, died };
        }
    }

    fn note_death(&mut self, member: MemberId, tenure: &Tenure) {
        let before = self.deaths.get(&member).filter(|_| tenure.started.elapsed() < FORGIVE).map_or(0, |deaths| deaths.count);
        let count = before.saturating_add(1);
        self.deaths.insert(member, Deaths { count, until: Instant::now() + backoff(count, REST_FIRST, REST_MOST) });
    }

    /// Ends all, wherever they are.
    pub(crate) async fn end(&mut self) {
        self.held.values().for_each(|tenure| tenure.stop.cancel());
        while self.tasks.join_next().await.is_some() {}
        *self = Self::default();
    }
}
