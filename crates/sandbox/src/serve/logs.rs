//! Container logs. Nothing runs, so that the lines are made up: from the container's start, one every ten seconds.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use jiff::Timestamp;
use serde_json::Value;

use super::Served;
use super::reply::{self, Reply};
use super::request::Request;
use super::route::Target;
use crate::status::{Answer, Refusal};
use crate::store::Key;
use crate::value::{list, text};

const EVERY: i64 = 10;
/// More lines than this are not made up.
const MOST: i64 = 10_000;

pub(crate) fn read(served: &Arc<Served>, target: &Target, request: &Request) -> Answer<Reply> {
    let key = Key::new(&target.namespace, &target.name);
    let pod = served.cluster.get(&target.kind, &key)?.value();
    let container = container(&pod, request.query("container"))?;
    if text(&pod, "spec.nodeName").is_empty() {
        return Ok(reply::empty(204));
    }
    let state = list(&pod, "status.containerStatuses").iter().find(|s| text(s, "name") == container).cloned().unwrap_or_default();
    let started =
        [text(&state, "state.running.startedAt"), text(&state, "state.terminated.startedAt"), text(&state, "lastState.terminated.startedAt")];
    let Some(started) = started.into_iter().find_map(|t| t.parse::<Timestamp>().ok()) else {
        let reason = [text(&state, "state.waiting.reason"), "ContainerCreating"].into_iter().find(|r| !r.is_empty()).unwrap_or_default();
        let why = match reason {
            "ErrImagePull" | "ImagePullBackOff" => "trying and failing to pull image",
            _ => reason,
        };
        return Err(Refusal::bad_request(format!("container {container:?} in pod {:?} is waiting to start: {why}", target.name)));
    };
    let lines = Lines { started, pod: target.name.clone(), container, timestamps: request.flag("timestamps") };
    let mut now = lines.until(Timestamp::now());
    if let Ok(tail) = request.query("tailLines").parse::<i64>() {
        now.0 = now.0.max(now.1 - tail);
    }
    if let Ok(seconds) = request.query("sinceSeconds").parse::<i64>() {
        now.0 = now.0.max(now.1 - seconds / EVERY - 1);
    }
    let first: String = (now.0..now.1).map(|n| lines.line(n)).collect();
    if !request.flag("follow") {
        return Ok(reply::text(200, limited(first, request.query("limitBytes"))));
    }
    Ok(reply::stream("text/plain; charset=utf-8", follow(served.clone(), target.clone(), lines, first, now.1)))
}

fn container(pod: &Value, wanted: &str) -> Answer<String> {
    let names: Vec<&str> = list(pod, "spec.containers").iter().map(|c| text(c, "name")).collect();
    match names.as_slice() {
        [one] if wanted.is_empty() => Ok((*one).to_owned()),
        many if wanted.is_empty() => {
            let all = many.join(" ");
            Err(Refusal::bad_request(format!("a container name must be specified for pod {}, choose one of: [{all}]", text(pod, "metadata.name"))))
        }
        many if many.contains(&wanted) => Ok(wanted.to_owned()),
        _ => Err(Refusal::bad_request(format!("container {wanted} is not valid for pod {}", text(pod, "metadata.name")))),
    }
}

fn limited(text: String, bytes: &str) -> String {
    match bytes.parse::<usize>() {
        Ok(limit) if limit < text.len() => text[..limit].to_owned(),
        _ => text,
    }
}

struct Lines {
    started: Timestamp,
    pod: String,
    container: String,
    timestamps: bool,
}

impl Lines {
    /// The first and the next line number at a time.
    fn until(&self, now: Timestamp) -> (i64, i64) {
        let count = (now.as_second() - self.started.as_second()).max(0) / EVERY + 1;
        ((count - MOST).max(0), count)
    }

    fn line(&self, number: i64) -> String {
        let at = self.started + jiff::SignedDuration::from_secs(number * EVERY);
        let stamp = if self.timestamps { at.strftime("%Y-%m-%dT%H:%M:%S.%9fZ ").to_string() } else { String::new() };
        let text = if number == 0 {
            "started (simulated by the sandbox)".to_owned()
        } else {
            format!("still running after {} s (simulated)", number * EVERY)
        };
        format!("{stamp}{}/{}: {text}\n", self.pod, self.container)
    }
}

/// The lines so far, then each new one, until the Pod is gone or the client is.
fn follow(served: Arc<Served>, target: Target, lines: Lines, first: String, next: i64) -> impl futures::Stream<Item = Bytes> + Send {
    stream::unfold((served, target, lines, Some(first), next), |(served, target, lines, first, mut next)| async move {
        if let Some(first) = first.filter(|f| !f.is_empty()) {
            return Some((Bytes::from(first), (served, target, lines, None, next)));
        }
        let key = Key::new(&target.namespace, &target.name);
        loop {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(500)) => {}
                () = served.stop.cancelled() => return None,
            }
            let pod = served.cluster.store.get(&target.kind.table(), &key)?;
            if matches!(pod.field("status.phase"), "Succeeded" | "Failed") {
                return None;
            }
            let (_, until) = lines.until(Timestamp::now());
            if until > next {
                let text: String = (next..until).map(|n| lines.line(n)).collect();
                next = until;
                return Some((Bytes::from(text), (served, target, lines, None, next)));
            }
        }
    })
}
