//! Working under a member's lease: watching the member, and reconciling what is on it.
//!
//! That ends when somebody says so, or with a defect. Whatever is under way then is dropped where it stands, as a crash
//! would: every pass copes with that. The lease is taken, kept and given back by the [`crate::Supervisor`].

use std::sync::Arc;

use members::{Fence, Member, Watches, Writer};
use store::{Lease, Observations};
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;
use types::MemberId;

use crate::{
    Changes, Health, Options, Wake,
    compute::{Context, Memories, WATCHES},
    parked::name_parked,
    queue::{Cause, Queue},
    reach,
    signal::Route,
    walk::walk,
    workers,
};

/// What it takes to work under a lease.
pub(crate) struct LeaseHolder {
    pub(crate) observations: Observations,
    pub(crate) member: Arc<Member>,
    pub(crate) member_id: MemberId,
    pub(crate) lease: Lease,
    pub(crate) fence: Fence,
    pub(crate) installation: String,
    pub(crate) options: Options,
    pub(crate) wake: Wake,
    pub(crate) changes: Changes,
    pub(crate) health: Health,
}

impl LeaseHolder {
    /// Works until `stop`. That it ends before is a defect, which is in the log then.
    pub(crate) async fn work(self, stop: CancellationToken) {
        let Self { observations, member, member_id, lease, fence, installation, options, wake, changes, health } = self;
        let queue = Arc::new(Queue::new(options.passes));
        let named = queue.clone();
        let mut watches = Watches::start(member.clone(), &installation, WATCHES, move |subject| named.add(subject, Cause::Watch));
        let passes = options.passes;
        let context = Arc::new(Context {
            store: observations,
            lease,
            member_id,
            writer: Writer::new(member.clone(), fence.clone()),
            cache: watches.cache().clone(),
            installation,
            options,
            changes,
            memories: Memories::default(),
            lease_held_since: Instant::now(),
        });
        let mut tasks = JoinSet::new();
        for _ in 0..passes {
            let (context, queue) = (context.clone(), queue.clone());
            tasks.spawn(async move {
                context.cache.until_synced().await;
                workers::work(context, queue).await;
            });
        }
        tasks.spawn(walk(context.clone(), queue.clone()));
        tasks.spawn(name_parked(context.clone(), queue.clone()));
        tasks.spawn(reach::follow(context));
        health.note_held(member_id, watches.cache().clone());
        let held = Held { fence, health, member: member_id, _route: wake.route(member_id, queue) };
        tokio::select! {
            () = stop.cancelled() => {}
            Some(ended) = tasks.join_next() => {
                tracing::error!(member = member.name(), ?ended, "a task of the reconciler died");
            }
            () = watches.ended() => tracing::error!(member = member.name(), "a watch died"),
        }
        // Nothing is named or written from here on.
        drop(held);
        tasks.shutdown().await;
    }
}

/// That the lease is held, and used: not any more when this is dropped, be it by a panic.
struct Held {
    fence: Fence,
    health: Health,
    member: MemberId,
    _route: Route,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.fence.revoke();
        self.health.note_not_held(self.member);
    }
}
