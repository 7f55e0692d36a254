//! One operation on all instances of a cluster.

use std::{collections::HashSet, time::Duration};

use store::{Fact, InstanceRow};
use tokio::time::Instant;
use types::{ClusterId, InstanceId, InstanceStatus, Operation, Result};
use wire::{
    cluster::{BulkLine, BulkOutcome, BulkResult},
    instance::Mode,
};

use crate::{
    Action, App, Caller,
    action::Permit,
    find::lock_cluster,
    operate::{allowed, check_mode},
    show,
    validate::INSTANCES_MAX,
};

/// Longest wait for instances that are on their way before the operation, which the wait for its outcome must not pay for.
const FIRST_WAIT: Duration = Duration::from_secs(3);

impl App {
    /// Starts, stops, suspends or resumes every instance whose state asks for it, and leaves the others alone:
    /// suspending touches running ones only, resuming suspended ones only. With `force`, all are stopped. Waits up to
    /// [`Policy::operation_wait`](crate::Policy::operation_wait) in all; for those that are on their way, and not in trouble there, a
    /// part of it, before.
    pub async fn cluster_operate(&self, caller: &Caller, id: ClusterId, operation: Operation, mode: Mode, force: bool) -> Result<BulkResult> {
        let permit = caller.may(match operation {
            Operation::Start => Action::ClusterStart,
            Operation::Stop => Action::ClusterStop,
            Operation::Suspend => Action::ClusterSuspend,
            Operation::Resume => Action::ClusterResume,
        })?;
        let cluster = self.find_cluster(caller, id).await?;
        check_mode(mode, operation, cluster.instance_type)?;
        let started = Instant::now();
        let deadline = started + self.policy.operation_wait;
        if !force {
            self.until(id, deadline.min(started + FIRST_WAIT), |unsettled| unsettled.iter().all(|instance| instance.in_trouble)).await;
        }
        let touched = self.write_operations(&permit, caller, id, operation, force).await?;
        self.until(id, deadline, |unsettled| unsettled.iter().all(|instance| !touched.contains(&instance.id))).await;
        let rows = self.find_instances(caller, id, 0, INSTANCES_MAX).await?;
        let mut result = summarize(operation, &rows, &touched);
        result.suspend =
            matches!(operation, Operation::Suspend | Operation::Resume).then(|| show::suspend(cluster.instance_type, cluster.disk.is_some()));
        Ok(result)
    }

    async fn write_operations(
        &self,
        permit: &Permit,
        caller: &Caller,
        id: ClusterId,
        operation: Operation,
        force: bool,
    ) -> Result<HashSet<InstanceId>> {
        let owner = self.find_cluster(caller, id).await?.owner;
        self.transact(permit, Some(owner), |tx| async move {
            let cluster = lock_cluster(&tx, caller, id).await?;
            let applies = |row: &InstanceRow| {
                let elsewhere = row.intent.desired != operation.target() || (row.settled() && !row.intent.observed.status.is_at(operation));
                !row.intent.deleting && elsewhere && (force || allowed(row).contains(&operation))
            };
            let touched: Vec<InstanceId> = tx.instances_of(id).await?.iter().filter(|row| applies(row)).map(|row| row.intent.id).collect();
            if !touched.is_empty() {
                tx.instances_operate(&touched, operation).await?;
                tx.cluster_touch(id, &cluster).await?;
                tx.record(&caller.by, Fact::ClusterOperated { cluster: id, owner, operation, instances: touched.len() }).await?;
            }
            Ok(touched.into_iter().collect())
        })
        .await
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
