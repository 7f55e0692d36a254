//! Reconciling the fleet in this process: being alive, and having a fair share of the members.
//!
//! One heartbeat keeps all leases. Rounds follow the members' rows, bury replicas that are silent, take on what nobody
//! has and hand over what is too much (`fair_share`). A [`LeaseHolder`] works under each lease; one that dies of a
//! defect is seen, its member rests a little and goes to whoever takes it. When this replica was declared dead, or
//! may have been by our own clock, it stops where it stands and joins anew.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use members::Member;
use rand::seq::SliceRandom as _;
use store::{LeaseName, Leases, MemberRow, Observations, Replica};
use tokio::{
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use types::{Error, MemberId};

use crate::{
    Changes, Health, Options, Wake,
    fair_share::{Fleet, Move, moves},
    fences::Fences,
    housekeeping::keep_house,
    keep_running::keep_running,
    lease_holder::LeaseHolder,
    poll::poll,
    renewal::{renew_until_lost, usable_until},
    tenures::{Ended, Tenures},
};

/// Rounds within a time to live.
const ROUNDS: u32 = 4;
/// Between two leases that are taken: each member is listed then.
const STAGGER: Duration = Duration::from_millis(10);

/// Makes a client for a member; `None`: this process has no way to it.
pub type Connect = Arc<dyn Fn(&MemberRow) -> Option<Arc<Member>> + Send + Sync>;

/// Reconciling, as it runs in this process.
pub struct Supervisor {
    wake: Wake,
    changes: Changes,
    health: Health,
    task: JoinHandle<()>,
}

impl Supervisor {
    /// Starts it. It runs until `cancel`.
    pub fn start(
        (observations, leases): (Observations, Leases),
        installation: String,
        connect: Connect,
        options: Options,
        cancel: CancellationToken,
    ) -> Self {
        let (wake, changes, health) = (Wake::default(), Changes::default(), Health::default());
        let run = Arc::new(Run {
            observations,
            leases,
            connect,
            options,
            wake: wake.clone(),
            changes: changes.clone(),
            health: health.clone(),
            cancel: cancel.clone(),
            installation,
        });
        let again = move || {
            let run = run.clone();
            async move { run.run().await }
        };
        let task = tokio::spawn(keep_running(again, health.running(), cancel));
        Self { wake, changes, health, task }
    }

    /// For those that change intent.
    pub fn wake(&self) -> Wake {
        self.wake.clone()
    }

    /// For those that wait for status.
    pub fn changes(&self) -> Changes {
        self.changes.clone()
    }

    /// For those that ask how it is doing.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Waits for its end after it was cancelled: what it had is free then.
    pub async fn stopped(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "reconciling died");
        }
    }
}

struct Run {
    observations: Observations,
    leases: Leases,
    connect: Connect,
    options: Options,
    wake: Wake,
    changes: Changes,
    health: Health,
    cancel: CancellationToken,
    installation: String,
}

impl Run {
    /// Lives, and again when that has ended, until cancelled.
    async fn run(&self) {
        while !self.cancel.is_cancelled() {
            let asked = Instant::now();
            match self.soon(self.leases.join(&self.options.holder, self.options.lease_ttl)).await {
                Ok(replica) => {
                    self.health.note_error(None);
                    self.live(&replica, asked).await;
                    continue;
                }
                Err(error) => self.note_error("cannot join the replicas", &error),
            }
            self.pause(self.options.lease_ttl / ROUNDS).await;
        }
    }

    /// One life as a replica.
    async fn live(&self, replica: &Replica, asked: Instant) {
        let ttl = self.options.lease_ttl;
        let until = usable_until(asked, ttl);
        let fences = Fences::until(until);
        let mut tenures = Tenures::default();
        let granted = |until| {
            self.health.note_error(None);
            fences.extend(until);
        };
        let failed = |error: &Error| self.note_error("cannot renew the leases", error);
        let lost = tokio::select! {
            () = renew_until_lost(ttl, until, || self.leases.heartbeat(replica, ttl), granted, failed) => true,
            () = self.follow(replica, &fences, &mut tenures) => false,
            () = poll(&self.observations, &self.wake, self.options.poll) => false,
            () = keep_house(&self.observations, &self.leases, replica) => false,
            () = self.cancel.cancelled() => false,
        };
        drop(fences);
        tenures.end().await;
        if lost {
            tracing::warn!(replica = replica.id(), "lost all leases: this replica was not heard of in time");
        } else if let Err(error) = self.soon(self.leases.leave(replica)).await {
            tracing::warn!(replica = replica.id(), %error, "cannot give the leases back; they run out by themselves");
        }
    }

    /// Follows the fleet for ever.
    async fn follow(&self, replica: &Replica, fences: &Fences, tenures: &mut Tenures) {
        let mut ticks = interval(self.options.lease_ttl / ROUNDS);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                ended = tenures.ended() => self.note_ended(ended, fences).await,
                _ = ticks.tick() => if let Err(error) = self.soon(self.round(replica, fences, tenures)).await {
                    self.note_error("cannot follow the members", &error);
                },
            }
        }
    }

    async fn round(&self, replica: &Replica, fences: &Fences, tenures: &mut Tenures) -> Result<(), Error> {
        self.leases.bury(self.options.lease_ttl).await?;
        let rows = self.observations.members().await?;
        let holders = self.leases.holders().await?;
        let known: BTreeMap<MemberId, (MemberRow, Arc<Member>)> =
            rows.into_iter().filter_map(|row| (self.connect)(&row).map(|member| (row.id, (row, member)))).collect();
        self.health.note_members(known.iter().map(|(id, (_, member))| (*id, member.clone())));
        let mine = tenures.members();
        // Also what is ours by its row and not in our hands: the answer to its claim was lost.
        let ours: BTreeSet<_> = holders.of(replica).collect();
        let is_free = |id: MemberId| holders.is_free(LeaseName::Member(id)) || ours.contains(&LeaseName::Member(id));
        let mut free: Vec<_> = known.keys().copied().filter(|id| is_free(*id) && tenures.may_start(*id)).collect();
        free.shuffle(&mut rand::rng());
        for id in mine.iter().filter(|id| known.get(id).is_some_and(|(row, _)| tenures.is_outdated(**id, row.credential_version))) {
            self.let_go(*id, fences, tenures);
        }
        let fleet = Fleet { members: known.keys().copied().collect(), live: holders.replicas.len(), mine, free };
        for step in moves(&fleet) {
            match step {
                Move::Release(id) => self.let_go(id, fences, tenures),
                Move::Claim(id) => {
                    let Some((row, member)) = known.get(&id) else { continue };
                    let Some(lease) = self.leases.claim(replica, LeaseName::Member(id)).await? else { continue };
                    tracing::info!(member = member.name(), epoch = lease.epoch, "took the lease");
                    let holder = LeaseHolder {
                        observations: self.observations.clone(),
                        member: member.clone(),
                        member_id: id,
                        lease: lease.clone(),
                        fence: fences.of(id),
                        installation: self.installation.clone(),
                        options: self.options.clone(),
                        wake: self.wake.clone(),
                        changes: self.changes.clone(),
                        health: self.health.clone(),
                    };
                    tenures.start(id, lease, row.credential_version, |stop| holder.work(stop));
                    sleep(STAGGER).await;
                }
            }
        }
        Ok(())
    }

    fn let_go(&self, member: MemberId, fences: &Fences, tenures: &Tenures) {
        fences.revoke(member);
        tenures.stop(member);
    }

    async fn note_ended(&self, ended: Ended, fences: &Fences) {
        let Ended { member, lease, died } = ended;
        fences.revoke(member);
        if let Some(error) = &died {
            tracing::error!(%member, epoch = lease.epoch, ?error, "reconciling a member died; it is taken up again");
            self.health.note_died(member);
        }
        // At once, so that another replica may take it: a defect may be of this process.
        if let Err(error) = self.soon(self.leases.release(&lease)).await {
            tracing::warn!(%member, %error, "cannot give a lease back; it is taken again");
        }
    }

    /// An answer of the database, which is not waited for longer than a lease would last.
    async fn soon<T>(&self, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let unanswered = Error::Unavailable { message: "the database does not answer".into(), retry_after_seconds: 1 };
        timeout(self.options.lease_ttl, answer).await.unwrap_or(Err(unanswered))
    }

    fn note_error(&self, what: &str, error: &Error) {
        tracing::warn!(%error, "{what}");
        self.health.note_error(Some(format!("{what}: {error}")));
    }

    async fn pause(&self, pause: Duration) {
        tokio::select! {
            () = sleep(pause) => {}
            () = self.cancel.cancelled() => {}
        }
    }
}
