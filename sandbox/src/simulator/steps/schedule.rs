//! A CronJob: a Job for each time of its schedule, in its time zone; the last one only, where several were missed.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};
use serde_json::{Value, json};

use super::super::events;
use super::super::scene::Scene;
use super::super::stage::Stage;
use super::{create, write_status};
use crate::machinery::notation::value::{at, number, set, text};
use crate::machinery::registry::Kind;
use crate::machinery::status::Refusal;
use crate::server::cluster::DeleteOptions;
use crate::server::store::{Entry, Key};

const JOBS: &str = "jobs.batch";
const CONTROLLER: &str = "cronjob-controller";

/// When Jobs are due.
enum Times {
    Pattern(Box<croner::Cron>, TimeZone),
    /// `@every 5m`, counted from the time before.
    Every(SignedDuration),
}

impl Times {
    fn parse(schedule: &str, zone: &str) -> Result<Self, String> {
        if let Some(period) = schedule.strip_prefix("@every ") {
            let period = SignedDuration::from_str(period).map_err(|e| e.to_string())?;
            return Ok(Times::Every(period.max(SignedDuration::from_secs(1))));
        }
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).sloppy_ranges(true).build();
        let zone = if zone.is_empty() { TimeZone::UTC } else { TimeZone::get(zone).map_err(|e| e.to_string())? };
        let pattern = parser.parse(schedule).map_err(|e| e.to_string())?;
        Ok(Times::Pattern(Box::new(pattern), zone))
    }

    fn after(&self, time: Timestamp) -> Option<Timestamp> {
        match self {
            Times::Every(period) => Some(time + *period),
            Times::Pattern(cron, zone) => cron.find_next_occurrence(&Zoned::new(time, zone.clone()), false).ok().map(|z| z.timestamp()),
        }
    }

    /// The last time up to now that came after another.
    fn last(&self, after: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let last = match self {
            Times::Every(period) => {
                let passed = now.duration_since(after).as_secs() / period.as_secs().max(1);
                after + SignedDuration::from_secs(passed * period.as_secs().max(1))
            }
            Times::Pattern(cron, zone) => cron.find_previous_occurrence(&Zoned::new(now, zone.clone()), true).ok()?.timestamp(),
        };
        (last > after).then_some(last)
    }
}

/// What is wrong with a CronJob's schedule or time zone, in the API server's words: the field and the message.
pub(crate) fn wrong(schedule: &str, zone: &str) -> Option<(&'static str, String)> {
    if Times::parse("@daily", zone).is_err() {
        return Some(("spec.timeZone", format!("unknown time zone {zone}")));
    }
    let why = Times::parse(schedule, "").err()?;
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    if fields.len() == 5 || schedule.starts_with('@') {
        return Some(("spec.schedule", why));
    }
    Some(("spec.schedule", format!("expected exactly 5 fields, found {}: [{}]", fields.len(), fields.join(" "))))
}

pub(super) fn keep(scene: &Scene<'_>, kind: &Kind, stage: &Stage) -> Result<(), Refusal> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &str, zone: &str, from: &str) -> String {
        let times = Times::parse(schedule, zone).expect("a schedule");
        times.after(from.parse().expect("a time")).expect("a next time").to_string()
    }

    #[test]
    fn schedules_are_those_of_kubernetes() {
        assert_eq!(next("*/5 * * * *", "", "2026-11-21T10:02:30Z"), "2026-11-21T10:05:00Z");
        assert_eq!(next("@hourly", "", "2026-11-21T10:00:00Z"), "2026-11-21T11:00:00Z");
        assert_eq!(next("30 8 * * MON-FRI", "", "2026-11-21T10:00:00Z"), "2026-11-23T08:30:00Z");
        assert_eq!(next("0 0 13 * FRI", "", "2026-11-01T00:00:00Z"), "2026-11-06T00:00:00Z", "a day of either kind is enough");
        assert_eq!(next("0 9 * * *", "Europe/Zurich", "2026-07-01T00:00:00Z"), "2026-07-01T07:00:00Z");
        assert_eq!(next("@every 1h30m", "", "2026-11-21T10:00:00Z"), "2026-11-21T11:30:00Z");
        assert!(Times::parse("* * * * * *", "").is_err(), "no seconds");
        assert!(Times::parse("61 * * * *", "").is_err());
        assert!(Times::parse("* * * * *", "Nowhere/Town").is_err());
        assert_eq!(wrong("every day", ""), Some(("spec.schedule", "expected exactly 5 fields, found 2: [every day]".to_owned())));
        assert_eq!(wrong("@daily", "Nowhere"), Some(("spec.timeZone", "unknown time zone Nowhere".to_owned())));
        assert_eq!(wrong("*/5 * * * *", "Europe/Zurich"), None);
    }

    #[test]
    fn of_several_missed_times_the_last_counts() {
        let times = Times::parse("* * * * *", "").expect("a schedule");
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        assert_eq!(times.last(at("2026-11-21T10:00:00Z"), at("2026-11-21T10:05:30Z")), Some(at("2026-11-21T10:05:00Z")));
        assert_eq!(times.last(at("2026-11-21T10:05:00Z"), at("2026-11-21T10:05:30Z")), None);
    }
}
