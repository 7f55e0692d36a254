//! A CronJob: a Job for each time of its schedule, in its time zone; the last one only, where several were missed.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::{events, scene::Scene, stage::Stage};
use super::write::{create, write_status};
use crate::machinery::notation::schedule::Times;
use crate::machinery::notation::value::{at, number, set, text};
use crate::machinery::{registry::Kind, status::Refusal};
use crate::server::cluster::DeleteOptions;
use crate::server::store::{Entry, Key};

const JOBS: &str = "jobs.batch";
const CONTROLLER: &str = "cronjob-controller";

pub(super) fn reconcile(scene: &Scene<'_>, kind: &Kind, stage: &Stage) -> Result<(), Refusal> {
    let cron = &scene.object;
    let mut status = look_after(scene)?;
    if cron["spec"]["suspend"] != true {
        match Times::parse(text(cron, "spec.schedule"), text(cron, "spec.timeZone")) {
            Ok(times) => start(scene, stage, &times, &mut status)?,
            Err(why) => {
                let message = format!("unparseable schedule: {} : {why}", text(cron, "spec.schedule"));
                events::say(scene, CONTROLLER, "Warning", "UnparseableSchedule", &message);
            }
        }
    }
    write_status(scene, kind, stage, status)
}

fn ended(job: &Value) -> Option<&'static str> {
    ["Complete", "Failed"].into_iter().find(|c| text(job, &format!("status.conditions.{c}.status")) == "True")
}

/// Notes which Jobs are active, and drops the oldest of the finished ones.
fn look_after(scene: &Scene<'_>) -> Result<Value, Refusal> {
    let cron = &scene.object;
    let jobs: Vec<Arc<Entry>> = scene.children(JOBS);
    let mut jobs: Vec<Value> = jobs.iter().map(|e| e.value()).collect();
    jobs.sort_by(|a, b| text(a, "status.startTime").cmp(text(b, "status.startTime")));
    let was_active = |job: &Value| crate::machinery::notation::value::list(cron, "status.active").iter().any(|a| a["uid"] == job["metadata"]["uid"]);
    let mut active = Vec::new();
    let mut last = text(cron, "status.lastSuccessfulTime").to_owned();
    for job in &jobs {
        match ended(job) {
            None => active.push(reference(job)),
            Some(how) => {
                if was_active(job) {
                    let message = format!("Saw completed job: {}, condition: {how}", text(job, "metadata.name"));
                    events::say(scene, CONTROLLER, "Normal", "SawCompletedJob", &message);
                }
                last = last.max(text(job, "status.completionTime").to_owned());
            }
        }
    }
    let kind = scene.cluster.kind(JOBS)?;
    for (how, limit, most) in [("Complete", "spec.successfulJobsHistoryLimit", 3), ("Failed", "spec.failedJobsHistoryLimit", 1)] {
        let these: Vec<&Value> = jobs.iter().filter(|j| ended(j) == Some(how)).collect();
        let limit = usize::try_from(number(cron, limit).unwrap_or(most)).unwrap_or(0);
        for job in these.iter().take(these.len().saturating_sub(limit)) {
            scene.cluster.delete(&kind, &Key::of(job), &DeleteOptions::default())?;
            events::say(scene, CONTROLLER, "Normal", "SuccessfulDelete", &format!("Deleted job {}", text(job, "metadata.name")));
        }
    }
    let last = if last.is_empty() { Value::Null } else { json!(last) };
    Ok(json!({"active": if active.is_empty() { Value::Null } else { json!(active) }, "lastSuccessfulTime": last}))
}

fn reference(job: &Value) -> Value {
    json!({"apiVersion": "batch/v1", "kind": "Job", "name": job["metadata"]["name"], "namespace": job["metadata"]["namespace"],
        "uid": job["metadata"]["uid"], "resourceVersion": job["metadata"]["resourceVersion"]})
}

/// Starts what is due, and comes back for the next time.
fn start(scene: &Scene<'_>, stage: &Stage, times: &Times, status: &mut Value) -> Result<(), Refusal> {
    let cron = &scene.object;
    let now = Timestamp::now();
    let parsed = |path: &str| text(cron, path).parse::<Timestamp>().ok();
    let Some(before) = parsed("status.lastScheduleTime").or_else(|| parsed("metadata.creationTimestamp")) else { return Ok(()) };
    let due = times.last(before, now);
    let from = if matches!(times, Times::Every(_)) { due.unwrap_or(before) } else { now };
    if let Some(next) = times.after(from) {
        scene.come_back(Duration::try_from(next.duration_since(now)).unwrap_or_default() + Duration::from_millis(20));
    }
    let Some(due) = due else { return Ok(()) };
    let late = number(cron, "spec.startingDeadlineSeconds").is_some_and(|limit| due.as_second() + limit < now.as_second());
    if late {
        let message = format!("Missed scheduled time to start a job: {}", due.strftime("%a, %d %b %Y %H:%M:%S +0000"));
        events::say(scene, CONTROLLER, "Warning", "MissSchedule", &message);
        return Ok(());
    }
    let active = crate::machinery::notation::value::list(status, "active").to_vec();
    match text(cron, "spec.concurrencyPolicy") {
        "Forbid" if !active.is_empty() => {
            let message = "Not starting job because prior execution is running and concurrency policy is Forbid";
            events::say(scene, CONTROLLER, "Normal", "JobAlreadyActive", message);
            return Ok(());
        }
        "Replace" => {
            let kind = scene.cluster.kind(JOBS)?;
            for job in &active {
                scene.cluster.delete(&kind, &Key::new(scene.namespace(), text(job, "name")), &DeleteOptions::default())?;
                events::say(scene, CONTROLLER, "Normal", "SuccessfulDelete", &format!("Deleted job {}", text(job, "name")));
            }
            status["active"] = Value::Null;
        }
        _ => {}
    }
    if let Some(made) = create(scene, stage, JOBS, job(cron, due), false)? {
        events::say(scene, CONTROLLER, "Normal", "SuccessfulCreate", &format!("Created job {}", made.key.name));
        let mut active = crate::machinery::notation::value::list(status, "active").to_vec();
        active.push(reference(&made.value()));
        status["active"] = Value::Array(active);
    }
    status["lastScheduleTime"] = json!(due.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    Ok(())
}

/// Its name carries the time in minutes, so that nothing is started twice for the same time.
fn job(cron: &Value, due: Timestamp) -> Value {
    let template = &cron["spec"]["jobTemplate"];
    let mut job = json!({"metadata": {"name": format!("{}-{}", text(cron, "metadata.name"), due.as_second() / 60), "namespace": cron["metadata"]["namespace"],
        "labels": at(template, "metadata.labels")}, "spec": template["spec"]});
    let mut annotations = at(template, "metadata.annotations").cloned().unwrap_or(json!({}));
    annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"] = json!(due.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    set(&mut job, "metadata.annotations", annotations);
    job
}
