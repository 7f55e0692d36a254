//! What a Deployment says of its rollout: counts and conditions, in the real controller's words.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::{scene::Scene, stage::Stage};
use super::write::write_status;
use crate::machinery::notation::value::{number, text};
use crate::machinery::{notation::clock, registry::Kind, status::Refusal};

pub(super) struct Rollout<'r> {
    /// Of the ReplicaSet for the present template.
    pub(super) name: &'r str,
    pub(super) wanted: i64,
    pub(super) unavailable: i64,
    pub(super) paused: bool,
    pub(super) new: Option<&'r Value>,
    pub(super) old: &'r [Value],
}

pub(super) fn report(scene: &Scene<'_>, kind: &Kind, stage: &Stage, rollout: &Rollout<'_>) -> Result<(), Refusal> {
    let of = |set: &Value, field: &str| number(set, &format!("status.{field}")).unwrap_or(0);
    let sum = |field: &str| rollout.new.map_or(0, |n| of(n, field)) + rollout.old.iter().map(|s| of(s, field)).sum::<i64>();
    let updated = rollout.new.map_or(0, |n| of(n, "replicas"));
    let (all, ready, available) = (sum("replicas"), sum("readyReplicas"), sum("availableReplicas"));
    let complete = rollout.new.is_some() && updated == rollout.wanted && all == rollout.wanted && available == rollout.wanted;
    let enough = available >= rollout.wanted - rollout.unavailable;
    let mut conditions = vec![if enough {
        condition("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.".to_owned())
    } else {
        condition("Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.".to_owned())
    }];
    conditions.extend(progress(scene, rollout, complete, all == updated));
    let or_none = |n: i64| if n == 0 { Value::Null } else { json!(n) };
    let status = json!({"observedGeneration": scene.object["metadata"]["generation"], "replicas": or_none(all), "updatedReplicas": or_none(updated),
        "readyReplicas": or_none(ready), "availableReplicas": or_none(available), "unavailableReplicas": or_none((all.max(rollout.wanted) - available).max(0)),
        "terminatingReplicas": 0, "conditions": conditions});
    write_status(scene, kind, stage, status)
}

fn condition(kind: &str, status: &str, reason: &str, message: String) -> Value {
    let now = clock::now();
    json!({"type": kind, "status": status, "reason": reason, "message": message, "lastUpdateTime": now, "lastTransitionTime": now})
}

/// What is to be said of progress now; nothing if what was said still holds.
fn progress(scene: &Scene<'_>, rollout: &Rollout<'_>, complete: bool, all_new: bool) -> Option<Value> {
    let name = rollout.name;
    let said = text(&scene.object, "status.conditions.Progressing.reason");
    let about_this = text(&scene.object, "status.conditions.Progressing.message").contains(name);
    if rollout.paused {
        return Some(condition("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused".to_owned()));
    }
    if complete {
        return Some(condition("Progressing", "True", "NewReplicaSetAvailable", format!("ReplicaSet {name:?} has successfully progressed.")));
    }
    // Pods that fail later don't undo a rollout that was complete.
    if said == "NewReplicaSetAvailable" && about_this && all_new {
        return None;
    }
    if rollout.new.is_none() {
        return Some(condition("Progressing", "True", "NewReplicaSetCreated", format!("Created new replica set {name:?}")));
    }
    let deadline = number(&scene.object, "spec.progressDeadlineSeconds").unwrap_or(600);
    let since = text(&scene.object, "status.conditions.Progressing.lastUpdateTime").parse::<Timestamp>();
    let left = since.map_or(deadline, |since| since.as_second() + deadline - Timestamp::now().as_second());
    let late = about_this && (said == "ProgressDeadlineExceeded" || (said == "ReplicaSetUpdated" && left < 0));
    if late {
        return Some(condition("Progressing", "False", "ProgressDeadlineExceeded", format!("ReplicaSet {name:?} has timed out progressing.")));
    }
    let left = if about_this && said == "ReplicaSetUpdated" { left } else { deadline };
    scene.come_back(Duration::from_secs(u64::try_from(left).unwrap_or(0) + 1));
    Some(condition("Progressing", "True", "ReplicaSetUpdated", format!("ReplicaSet {name:?} is progressing.")))
}
