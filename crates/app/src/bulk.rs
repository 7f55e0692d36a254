//! One operation on all instances of a cluster.

use std::collections::HashSet;

use store::{AuditEntry, InstanceRow};
use tokio::time::Instant;
use types::{ClusterId, InstanceId, InstanceStatus, Operation, Result};
use wire::cluster::{BulkLine, BulkOutcome, BulkResult};

use crate::{
    App, Caller,
    cluster::{being_deleted, not_found, target},
    instance::settled_or_going,
    wait::OPERATION_WAIT,
};

impl App {
    /// Starts, stops, suspends or resumes every instance whose state asks for it, and leaves the others alone:
    /// suspending touches running ones only, resuming suspended ones only. Waits up to [`OPERATION_WAIT`] in all.
    pub async fn cluster_operate(&self, caller: &Caller, id: ClusterId, operation: Operation) -> Result<BulkResult> {
        caller.require_write()?;
        let deadline = Instant::now() + OPERATION_WAIT;
        self.instances_settled(caller, id, deadline, |_| true).await?;

        let touched = self.write_operations(caller, id, operation).await?;
        (self.wake)(id);
        let rows = self.instances_settled(caller, id, deadline, |row| touched.contains(&row.intent.id)).await?;
        Ok(summarize(operation, &rows, &touched))
    }

    /// The cluster's instances when those that `matter` have settled, or as they are at `deadline`.
    pub(crate) async fn instances_settled(
        &self,
        caller: &Caller,
        id: ClusterId,
        deadline: Instant,
        matter: impl Fn(&InstanceRow) -> bool,
    ) -> Result<Vec<InstanceRow>> {
        let mut waiter = self.waiter(deadline);
        loop {
            let (_, rows) = self.read_detail(caller, id).await?;
            if rows.iter().filter(|row| matter(row)).all(settled_or_going) || !waiter.next().await {
                return Ok(rows);
            }
        }
    }

    async fn write_operations(&self, caller: &Caller, id: ClusterId, operation: Operation) -> Result<HashSet<InstanceId>> {
        let tx = self.store.begin().await?;
        let cluster = tx.cluster_lock(caller.scope(), id).await?.ok_or_else(not_found)?;
        if cluster.deleting {
            return Err(being_deleted());
        }
        let mut touched = HashSet::new();
        for row in tx.instances_of(id).await? {
            let applies = row.settled() && !row.intent.deleting && row.intent.observed.status.allowed().contains(&operation);
            if applies && tx.instance_operate(row.intent.id, row.intent.generation, operation).await? {
                touched.insert(row.intent.id);
            }
        }
        if !touched.is_empty() {
            tx.cluster_touch(id).await?;
            let detail = Some(format!("{operation} {} instances", touched.len()));
            tx.audit(AuditEntry { actor: caller.user.id, action: "cluster.operate", target: target(id), detail }).await?;
            tx.commit().await?;
        }
        Ok(touched)
    }
}

fn summarize(operation: Operation, rows: &[InstanceRow], touched: &HashSet<InstanceId>) -> BulkResult {
    let results: Vec<BulkLine> = rows.iter().map(|row| line(row, operation, touched.contains(&row.intent.id))).collect();
    let count = |outcome| results.iter().filter(|line| line.outcome == outcome).count();
    let done = Some(count(BulkOutcome::Done));
    let mut result = BulkResult {
        failed: count(BulkOutcome::Failed),
        skipped: count(BulkOutcome::Skipped),
        pending: count(BulkOutcome::Pending),
        ..BulkResult::default()
    };
    match operation {
        Operation::Suspend => result.suspended = done,
        Operation::Resume => result.resumed = done,
        Operation::Start => result.started = done,
        Operation::Stop => result.stopped = done,
    }
    result.results = results;
    result
}

fn line(row: &InstanceRow, operation: Operation, touched: bool) -> BulkLine {
    let status = row.intent.observed.status;
    let (outcome, message) = if !touched {
        (BulkOutcome::Skipped, Some(format!("is {status}; {operation} does not apply")))
    } else if !row.settled() {
        (BulkOutcome::Pending, row.intent.observed.message.clone())
    } else if status == InstanceStatus::Failed {
        (BulkOutcome::Failed, row.intent.observed.message.clone())
    } else {
        (BulkOutcome::Done, None)
    };
    BulkLine { instance_id: row.intent.id, instance_name: row.intent.name.clone(), outcome, status, message }
}
