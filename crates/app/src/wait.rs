//! Waiting for reconciling to get somewhere, on behalf of a request.
//!
//! However many wait for one cluster, one of them reads: which of its instances have not settled yet. It reads when this
//! process has written something of that cluster, and now and then, because another replica may have.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use store::{InstanceRow, Intents, Unsettled};
use tokio::{
    sync::{Notify, watch},
    task::AbortHandle,
    time::{Instant, sleep, sleep_until},
};
use types::{ClusterId, InstanceId, Result, Subject};

use crate::{App, Caller, Changes};

/// Another replica may hold the member's lease: its writes are not announced here, and read for at this interval.
const POLL_INTERVAL: Duration = Duration::from_millis(300);

/// Least time between two reads of one cluster: what is written within it is read in one go.
const READ_INTERVAL: Duration = Duration::from_millis(25);

/// A read that took long is not repeated sooner than so many times what it took.
const READ_SHARE: u32 = 4;

/// What was read of a cluster. `None`: it could not be read.
#[derive(Clone)]
struct Reading {
    begun: Instant,
    unsettled: Option<Arc<[Unsettled]>>,
}

/// Reads of one cluster, for as long as somebody waits for it.
struct Reader {
    latest: watch::Receiver<Reading>,
    nudge: Arc<Notify>,
    task: AbortHandle,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Those who wait, by cluster.
#[derive(Default)]
pub(crate) struct Waits(Mutex<HashMap<ClusterId, Weak<Reader>>>);

impl Waits {
    fn of(&self, id: ClusterId, intents: &Intents, changes: &Changes) -> Arc<Reader> {
        let mut readers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reader) = readers.get(&id).and_then(Weak::upgrade) {
            return reader;
        }
        readers.retain(|_, reader| reader.strong_count() > 0);
        let (sender, latest) = watch::channel(Reading { begun: Instant::now(), unsettled: None });
        let nudge = Arc::new(Notify::new());
        let task = tokio::spawn(read(id, intents.clone(), changes(Subject::Cluster(id)), nudge.clone(), sender)).abort_handle();
        let reader = Arc::new(Reader { latest, nudge, task });
        readers.insert(id, Arc::downgrade(&reader));
        reader
    }
}

async fn read(id: ClusterId, intents: Intents, mut changes: watch::Receiver<u64>, nudge: Arc<Notify>, sender: watch::Sender<Reading>) {
    loop {
        let begun = Instant::now();
        changes.mark_unchanged();
        let unsettled = intents.unsettled(id).await.ok().map(Arc::from);
        let took = begun.elapsed();
        sender.send_replace(Reading { begun, unsettled });
        sleep(READ_INTERVAL.max(took * READ_SHARE)).await;
        tokio::select! {
            changed = changes.changed() => {
                if changed.is_err() {
                    // Nobody reconciles in this process; another replica might.
                    sleep(POLL_INTERVAL).await;
                }
            }
            () = nudge.notified() => {}
            () = sleep(POLL_INTERVAL) => {}
        }
    }
}

impl App {
    /// Waits until `done` says so of those instances that have not settled, or until `deadline`. Instances that are on their way
    /// out, and those of a cluster that is, count as settled.
    pub(crate) async fn until(&self, id: ClusterId, deadline: Instant, done: impl Fn(&[Unsettled]) -> bool) {
        let begun = Instant::now();
        if begun >= deadline {
            return;
        }
        let reader = self.waits.of(id, &self.intents, &self.changes);
        let mut latest = reader.latest.clone();
        reader.nudge.notify_one();
        let settled = async {
            loop {
                {
                    let reading = latest.borrow_and_update();
                    // An older one has not seen what was written before the wait.
                    if reading.begun >= begun && reading.unsettled.as_deref().is_some_and(&done) {
                        return;
                    }
                }
                if latest.changed().await.is_err() {
                    return std::future::pending().await;
                }
            }
        };
        let mut closing = self.closing.subscribe();
        // When time is up, or the process ends, the caller looks at how it is then.
        tokio::select! {
            () = settled => {}
            () = sleep_until(deadline) => {}
            _ = closing.wait_for(|closing| *closing) => {}
        }
    }

    /// The instance when it has settled or is on its way out, or as it is at `deadline`.
    pub(crate) async fn instance_settled(&self, caller: &Caller, id: InstanceId, deadline: Instant) -> Result<InstanceRow> {
        let row = self.find_instance(caller, id).await?;
        if row.settled() || row.intent.deleting || row.cluster_deleting {
            return Ok(row);
        }
        self.until(row.cluster, deadline, |unsettled| unsettled.iter().all(|instance| instance.id != id)).await;
        self.find_instance(caller, id).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_reads_when_nobody_waits() {
        let dir = tempfile::tempdir().expect("a directory");
        let db = store::open(&format!("sqlite:///{}/test.db", dir.path().display())).await.expect("opens");
        db.schema.migrate().await.expect("migrates");
        let (_sender, receiver) = watch::channel(0);
        let changes: Changes = Arc::new(move |_| receiver.clone());
        let waits = Waits::default();
        let (one, same) = (waits.of(ClusterId(1), &db.intents, &changes), waits.of(ClusterId(1), &db.intents, &changes));
        assert!(Arc::ptr_eq(&one, &same), "one reads for all");
        let task = one.task.clone();
        drop((one, same));
        while !task.is_finished() {
            tokio::task::yield_now().await;
        }
        let _other = waits.of(ClusterId(2), &db.intents, &changes);
        assert_eq!(waits.0.lock().expect("nobody panicked").len(), 1, "what nobody waits for is forgotten");
    }
}
