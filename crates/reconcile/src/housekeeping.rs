//! What one of all replicas does for all: numbers events, and forgets what is old.
//!
//! Each is done under a lease of its own, which whoever is alive takes when nobody has it. Nobody waits for either, so a failure
//! is tried again in the next round.

use std::time::Duration;

use store::{Lease, LeaseName, Leases, Observations, Replica};
use tokio::time::{Instant, sleep};
use types::{Error, Timestamp};

/// Between two looks at whether there are new events.
const ROUND: Duration = Duration::from_secs(5);
/// Between two times of forgetting.
const FORGET_EVERY: Duration = Duration::from_secs(3600);
/// For how long events are kept: whoever was away for longer lists anew.
const EVENTS_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// For how long it can be looked up who did what.
const AUDIT_KEPT: Duration = Duration::from_secs(400 * 24 * 3600);

/// Keeps house for ever.
pub(crate) async fn keep_house(observations: &Observations, leases: &Leases, replica: &Replica) {
    let (mut outbox, mut expiry) = (Duty::new(LeaseName::Outbox), Duty::new(LeaseName::Expiry));
    let mut forget_at = Instant::now();
    loop {
        sleep(ROUND).await;
        if let Some(lease) = outbox.lease(leases, replica).await {
            let numbered = number(observations, &lease).await;
            outbox.note(numbered);
        }
        if forget_at <= Instant::now()
            && let Some(lease) = expiry.lease(leases, replica).await
        {
            let forgotten = observations.forget(&lease, before(EVENTS_KEPT), before(AUDIT_KEPT)).await;
            expiry.note(forgotten);
            forget_at = Instant::now() + FORGET_EVERY;
        }
    }
}

async fn number(observations: &Observations, lease: &Lease) -> Result<(), Error> {
    while observations.events_sequence(lease).await? > 0 {}
    Ok(())
}

fn before(age: Duration) -> Timestamp {
    Timestamp(Timestamp::now().0 - i64::try_from(age.as_micros()).unwrap_or(i64::MAX / 4))
}

/// Something to do for all, while its lease is held.
struct Duty {
    name: LeaseName,
    lease: Option<Lease>,
}

impl Duty {
    const fn new(name: LeaseName) -> Self {
        Self { name, lease: None }
    }

    async fn lease(&mut self, leases: &Leases, replica: &Replica) -> Option<Lease> {
        if self.lease.is_none() {
            self.lease = leases.claim(replica, self.name).await.unwrap_or_default();
        }
        self.lease.clone()
    }

    fn note(&mut self, result: Result<(), Error>) {
        if let Err(error) = result {
            tracing::info!(duty = %self.name, %error, "cannot keep house; it is tried again");
            // It may be another's by now.
            self.lease = None;
        }
    }
}
