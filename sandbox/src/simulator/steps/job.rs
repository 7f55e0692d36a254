//! A Job: Pods until enough have succeeded, too many have failed, or time is up.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::{events, scene::Scene, stage::Stage};
use super::pods;
use super::write::write_status;
use crate::machinery::notation::value::{at, list, number, plain, set, text};
use crate::machinery::{notation::clock, registry::Kind, status::Refusal};
use crate::server::store::Entry;

const INDEX: &str = "batch.kubernetes.io/job-completion-index";
const CONTROLLER: &str = "job-controller";

struct Tally {
    active: Vec<Arc<Entry>>,
    terminating: usize,
    succeeded: i64,
    failed: i64,
    indexes: BTreeSet<i64>,
}

pub(super) fn reconcile(scene: &Scene<'_>, kind: &Kind, stage: &Stage) -> Result<(), Refusal> {
    let job = &scene.object;
    let tally = tally(scene);
    if job["spec"]["suspend"] == true {
        return suspend(scene, kind, stage, &tally);
    }
    let wanted = number(job, "spec.completions");
    let done = wanted.map_or(tally.succeeded > 0 && tally.active.is_empty(), |wanted| tally.succeeded >= wanted);
    let indexed = text(job, "spec.completionMode") == "Indexed";
    let (reason, message) = match failure(scene, &tally) {
        _ if done => ("CompletionsReached", "Reached expected number of succeeded pods"),
        Some(failure) => failure,
        None => {
            fill(scene, stage, &tally, wanted, indexed)?;
            let now = clock::now();
            let resumed = json!([{"type": "Suspended", "status": "False", "reason": "JobResumed", "message": "Job resumed", "lastProbeTime": now, "lastTransitionTime": now}]);
            let was_suspended = text(job, "status.conditions.Suspended.status") == "True";
            let extra = if was_suspended { json!({"conditions": resumed, "startTime": now}) } else { json!({}) };
            if was_suspended {
                events::say(scene, CONTROLLER, "Normal", "Resumed", "Job resumed");
            }
            return status(scene, kind, stage, &self::tally(scene), extra);
        }
    };
    for pod in &tally.active {
        pods::drop_one(scene, pod)?;
    }
    let now = clock::now();
    let condition =
        |kind: &str| json!({"type": kind, "status": "True", "reason": reason, "message": message, "lastProbeTime": now, "lastTransitionTime": now});
    let mut end = if done {
        json!({"conditions": [condition("SuccessCriteriaMet"), condition("Complete")], "completionTime": now})
    } else {
        json!({"conditions": [condition("FailureTarget"), condition("Failed")]})
    };
    if indexed && done {
        end["completedIndexes"] = json!(ranges(&tally.indexes));
    }
    let gone =
        Tally { active: vec![], terminating: 0, failed: tally.failed + i64::try_from(tally.active.len()).unwrap_or(0) * i64::from(!done), ..tally };
    status(scene, kind, stage, &gone, end)?;
    if done {
        events::say(scene, CONTROLLER, "Normal", "Completed", "Job completed");
    } else {
        events::say(scene, CONTROLLER, "Warning", reason, message);
    }
    Ok(())
}

/// What is finished counts even when its Pod is gone.
fn tally(scene: &Scene<'_>) -> Tally {
    let all = scene.children("pods");
    let count = |phase: &str| i64::try_from(all.iter().filter(|p| p.field("status.phase") == phase).count()).unwrap_or(0);
    let before = |field: &str| number(&scene.object, field).unwrap_or(0);
    let index = |pod: &Arc<Entry>| pod.label(INDEX).and_then(|i| i.parse().ok());
    let succeeded = all.iter().filter(|p| p.field("status.phase") == "Succeeded");
    let indexes: BTreeSet<i64> = succeeded.filter_map(index).collect();
    let indexed = text(&scene.object, "spec.completionMode") == "Indexed";
    Tally {
        active: pods::alive(scene),
        terminating: all.iter().filter(|p| p.deleting && !pods::finished(p)).count(),
        succeeded: if indexed { i64::try_from(indexes.len()).unwrap_or(0) } else { count("Succeeded").max(before("status.succeeded")) },
        failed: count("Failed").max(before("status.failed")),
        indexes,
    }
}

fn failure(scene: &Scene<'_>, tally: &Tally) -> Option<(&'static str, &'static str)> {
    let job = &scene.object;
    let restarts = || -> i64 {
        let of = |pod: &Arc<Entry>| list(&pod.value(), "status.containerStatuses").iter().filter_map(|s| number(s, "restartCount")).sum::<i64>();
        tally.active.iter().map(of).sum()
    };
    let limit = number(job, "spec.backoffLimit").unwrap_or(6);
    let in_place = text(job, "spec.template.spec.restartPolicy") == "OnFailure";
    if tally.failed > limit || (in_place && restarts() >= limit.max(1)) {
        return Some(("BackoffLimitExceeded", "Job has reached the specified backoff limit"));
    }
    let deadline = number(job, "spec.activeDeadlineSeconds")?;
    let start: Timestamp = text(job, "status.startTime").parse().ok()?;
    let left = start.as_second() + deadline - Timestamp::now().as_second();
    if left <= 0 {
        return Some(("DeadlineExceeded", "Job was active longer than specified deadline"));
    }
    scene.come_back(Duration::from_secs(u64::try_from(left).unwrap_or(0)));
    None
}

/// Makes the Pods that are missing; after failures not at once, but a tenth of the real pause later.
fn fill(scene: &Scene<'_>, stage: &Stage, tally: &Tally, wanted: Option<i64>, indexed: bool) -> Result<(), Refusal> {
    let active = i64::try_from(tally.active.len()).unwrap_or(0);
    let parallel = number(&scene.object, "spec.parallelism").unwrap_or(1);
    let missing = wanted.map_or(if tally.succeeded > 0 { 0 } else { parallel }, |wanted| parallel.min(wanted - tally.succeeded)) - active;
    for pod in tally.active.iter().take(usize::try_from(-missing).unwrap_or(0)) {
        pods::drop_one(scene, pod)?;
    }
    if missing > 0 && tally.failed > 0 {
        let pause = Duration::from_millis(1000 << (tally.failed - 1).clamp(0, 6));
        let failed = scene.children("pods").into_iter().filter(|p| p.field("status.phase") == "Failed");
        let since = failed.filter_map(|p| text(&p.value(), "status.conditions.Ready.lastTransitionTime").parse::<Timestamp>().ok()).max();
        let passed = since.map_or(pause, |s| Duration::try_from(Timestamp::now().duration_since(s)).unwrap_or_default());
        if passed < pause {
            scene.come_back(pause - passed);
            return Ok(());
        }
    }
    let taken: BTreeSet<i64> = tally.active.iter().filter_map(|p| p.label(INDEX)?.parse().ok()).chain(tally.indexes.iter().copied()).collect();
    let mut free = (0..wanted.unwrap_or(0)).filter(|i| !taken.contains(i));
    for _ in 0..missing {
        let mut pod = pods::pod(scene, &scene.object["spec"]["template"]);
        if let Some(index) = free.next().filter(|_| indexed) {
            number_pod(scene, &mut pod, index);
        }
        pods::make(scene, stage, pod)?;
    }
    Ok(())
}

fn number_pod(scene: &Scene<'_>, pod: &mut Value, index: i64) {
    let name = text(&scene.object, "metadata.name");
    set(pod, "metadata.generateName", json!(format!("{name}-{index}-")));
    set(pod, "spec.hostname", json!(format!("{name}-{index}")));
    for part in ["labels", "annotations"] {
        crate::machinery::notation::value::object(&mut pod["metadata"], part).insert(INDEX.to_owned(), json!(index.to_string()));
    }
    for container in pod.pointer_mut("/spec/containers").and_then(Value::as_array_mut).into_iter().flatten() {
        let mut env = list(container, "env").to_vec();
        env.push(json!({"name": "JOB_COMPLETION_INDEX", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": format!("metadata.labels['{INDEX}']")}}}));
        container["env"] = Value::Array(env);
    }
}

fn suspend(scene: &Scene<'_>, kind: &Kind, stage: &Stage, tally: &Tally) -> Result<(), Refusal> {
    for pod in &tally.active {
        pods::drop_one(scene, pod)?;
    }
    let now = clock::now();
    let condition = json!({"type": "Suspended", "status": "True", "reason": "JobSuspended", "message": "Job suspended", "lastProbeTime": now, "lastTransitionTime": now});
    let before = text(&scene.object, "status.conditions.Suspended.status") == "True";
    let gone = Tally { active: vec![], terminating: 0, succeeded: tally.succeeded, failed: tally.failed, indexes: BTreeSet::new() };
    status(scene, kind, stage, &gone, json!({"conditions": [condition], "startTime": null}))?;
    if !before {
        events::say(scene, CONTROLLER, "Normal", "Suspended", "Job suspended");
    }
    Ok(())
}

fn status(scene: &Scene<'_>, kind: &Kind, stage: &Stage, tally: &Tally, extra: Value) -> Result<(), Refusal> {
    let ready = tally.active.iter().filter(|p| pods::ready_since(p).is_some()).count();
    let or_none = |n: i64| if n == 0 { Value::Null } else { json!(n) };
    let start = at(&scene.object, "status.startTime").map_or_else(clock::now, plain);
    let mut status = json!({"active": or_none(i64::try_from(tally.active.len()).unwrap_or(0)), "ready": ready, "succeeded": or_none(tally.succeeded),
        "failed": or_none(tally.failed), "terminating": tally.terminating, "startTime": start, "uncountedTerminatedPods": {}});
    for (field, value) in extra.as_object().into_iter().flatten() {
        status[field] = value.clone();
    }
    write_status(scene, kind, stage, status)
}

/// `0-2,5`
fn ranges(indexes: &BTreeSet<i64>) -> String {
    let mut spans: Vec<(i64, i64)> = Vec::new();
    for index in indexes {
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == *index => *last = *index,
            _ => spans.push((*index, *index)),
        }
    }
    let shown = spans.iter().map(|(a, b)| match b - a {
        0 => a.to_string(),
        1 => format!("{a},{b}"),
        _ => format!("{a}-{b}"),
    });
    shown.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_are_shown_as_ranges() {
        assert_eq!(ranges(&BTreeSet::from([0, 1, 2, 5, 7, 8])), "0-2,5,7,8");
    }
}
