//! One operation on all instances of a cluster.

use std::collections::HashSet;

use store::{AuditEntry, InstanceRow};
use tokio::time::Instant;
use types::{ClusterId, InstanceId, InstanceStatus, Operation, Result};
use wire::{
    cluster::{BulkLine, BulkOutcome, BulkResult},
    instance::Mode,
};

use crate::{App, Caller, audit::cluster_target, find::lock_cluster, operate::check_mode, show};

impl App {
    /// Starts, stops, suspends or resumes every instance whose state asks for it, and leaves the others alone:
    /// suspending touches running ones only, resuming suspended ones only. Waits up to
    /// [`Policy::operation_wait`](crate::Policy::operation_wait) in all.
    pub async fn cluster_operate(&self, caller: &Caller, id: ClusterId, operation: Operation, mode: Mode) -> Result<BulkResult> {
        caller.require_write()?;
        let cluster = self.find_cluster(caller, id).await?;
        check_mode(mode, operation, cluster.instance_type)?;
        let deadline = Instant::now() + self.policy.operation_wait;
        self.instances_settled(caller, id, deadline, |_| true).await?;

        let touched = self.write_operations(caller, id, operation).await?;
        if !touched.is_empty() {
            (self.wake)(id);
        }
        let rows = self.instances_settled(caller, id, deadline, |row| touched.contains(&row.intent.id)).await?;
        let mut result = summarize(operation, &rows, &touched);
        result.suspend =
            matches!(operation, Operation::Suspend | Operation::Resume).then(|| show::suspend(cluster.instance_type, cluster.disk.is_some()));
        Ok(result)
    }

    async fn write_operations(&self, caller: &Caller, id: ClusterId, operation: Operation) -> Result<HashSet<InstanceId>> {
        let tx = self.store.begin().await?;
        lock_cluster(&tx, caller, id).await?;
        let applies = |row: &InstanceRow| row.settled() && !row.intent.deleting && row.intent.observed.status.allowed().contains(&operation);
        let touched: Vec<InstanceId> = tx.instances_of(id).await?.iter().filter(|row| applies(row)).map(|row| row.intent.id).collect();
        if !touched.is_empty() {
            tx.instances_operate(&touched, operation).await?;
            tx.cluster_touch(id).await?;
            let detail = Some(format!("{operation} {} instances", touched.len()));
            tx.audit(AuditEntry { actor: caller.user.id, action: "cluster.operate", target: cluster_target(id), detail }).await?;
            tx.commit().await?;
        }
        Ok(touched.into_iter().collect())
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
    BulkLine { instance_id: row.intent.id, instance_name: row.intent.name.clone(), outcome: outcome.into(), status: status.into(), message }
}
