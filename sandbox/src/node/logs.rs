//! Container logs: what the container's first process prints, played back from the container's start ([`shell`]).
//!
//! Nothing is kept: a log is a function of the Pod and the time, the same whenever it is asked for. What is refused, and
//! in which words, follows kubelet and the real API server.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::stream;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio_util::task::AbortOnDropHandle;

use super::host::Host;
use super::{container, runtime};
use crate::machinery::notation::cause::Cause;
use crate::machinery::notation::value::{at, text};
use crate::machinery::status::{Answer, Refusal};
use crate::server::http::reply::{self, Reply};
use crate::server::http::{request::Request, target::Target};
use crate::server::store::Key;
use shell::clock::Clock;
use shell::io::{Input, Io, Line, Output};

/// Older lines are gone, as after a rotation.
const KEPT: usize = 1 << 20;
/// Lines that wait for a slow client.
const WAITING: usize = 64;

/// What a client wants of a log.
#[derive(Debug, Clone)]
struct Wanted {
    follow: bool,
    previous: bool,
    timestamps: bool,
    tail: Option<usize>,
    since: Option<Timestamp>,
    limit: Option<usize>,
}

/// One life of a container.
#[derive(Debug, Clone)]
struct Life {
    from: Timestamp,
    /// Its end, when it has ended.
    until: Option<Timestamp>,
}

pub(super) async fn read(host: &Host, target: &Target, request: &Request) -> Answer<Reply> {
    let wanted = wanted(target, request)?;
    let pod = host.cluster.get(&target.kind, &Key::new(&target.namespace, &target.name))?.value();
    let container = container::meant(&pod, request.query("container"))?;
    if text(&pod, "spec.nodeName").is_empty() {
        return Ok(reply::empty(204));
    }
    let life = life(&pod, &container, wanted.previous).map_err(Refusal::bad_request)?;
    let known = life.until.unwrap_or_else(Timestamp::now);
    let (_process, mut lines) = play(host, &pod, &container, &life, Some(known));
    let mut held = VecDeque::new();
    let mut size = 0;
    while let Some(line) = lines.recv().await {
        if wanted.since.is_some_and(|since| line.at < since) {
            continue;
        }
        size += line.text.len();
        held.push_back(line);
        while size > KEPT || wanted.tail.is_some_and(|tail| held.len() > tail) {
            size -= held.pop_front().map_or(0, |line| line.text.len());
        }
    }
    let mut first = BytesMut::new();
    held.iter().for_each(|line| first.extend_from_slice(&shown(line, wanted.timestamps)));
    first.truncate(wanted.limit.unwrap_or(usize::MAX));
    if !wanted.follow || life.until.is_some() || wanted.limit.is_some_and(|limit| first.len() >= limit) {
        return Ok(reply::bytes(200, "text/plain", first.freeze()));
    }
    let (process, lines) = play(host, &pod, &container, &life, None);
    let follower = Follower {
        changes: host.cluster.lister().changes(&target.kind.table()),
        host: host.clone(),
        target: target.clone(),
        container,
        left: wanted.limit.map_or(usize::MAX, |limit| limit - first.len()),
        wanted,
        from: life.from,
        seen: known,
        lines,
        _process: process,
    };
    let rest = stream::unfold(follower, |mut follower| async move { follower.next().await.map(|piece| (piece, follower)) });
    let first = stream::iter((!first.is_empty()).then(|| first.freeze()));
    Ok(reply::stream("text/plain", stream::StreamExt::chain(first, rest)))
}

fn wanted(target: &Target, request: &Request) -> Answer<Wanted> {
    let number = |name: &str| request.number::<i64>(name);
    let (tail, limit, seconds) = (number("tailLines")?, number("limitBytes")?, number("sinceSeconds")?);
    let mut causes = Vec::new();
    if let Some(tail) = tail.filter(|n| *n < 0) {
        causes.push(Cause::invalid("tailLines", tail, "must be greater than or equal to 0"));
    }
    if let Some(limit) = limit.filter(|n| *n < 1) {
        causes.push(Cause::invalid("limitBytes", limit, "must be greater than 0"));
    }
    let time = request.query("sinceTime");
    match seconds {
        Some(_) if !time.is_empty() => {
            let message = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified";
            causes.push(Cause::new("FieldValueForbidden", "[]", message));
        }
        Some(seconds) if seconds < 1 => causes.push(Cause::invalid("sinceSeconds", seconds, "must be greater than 0")),
        _ => {}
    }
    if !causes.is_empty() {
        return Err(Refusal::invalid_named("PodLogOptions", &target.name, &causes));
    }
    let since = match seconds {
        Some(seconds) => Timestamp::now().checked_sub(SignedDuration::from_secs(seconds)).ok(),
        None if time.is_empty() => None,
        None => {
            let wrong =
                |_| Refusal::bad_request(format!("parsing time {time:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {time:?} as \"2006\""));
            Some(time.parse().map_err(wrong)?)
        }
    };
    let size = |n: i64| usize::try_from(n).unwrap_or(usize::MAX);
    Ok(Wanted {
        follow: request.flag("follow"),
        previous: request.flag("previous"),
        timestamps: request.flag("timestamps"),
        tail: tail.map(size),
        since,
        limit: limit.map(size),
    })
}

/// The life whose log is meant, or why there is none, in kubelet's words.
fn life(pod: &Value, container: &str, previous: bool) -> Result<Life, String> {
    let name = text(pod, "metadata.name");
    let status = container::status(pod, container).ok_or_else(|| format!("container {container:?} in pod {name:?} is not available"))?;
    let last = at(status, "lastState.terminated");
    let ended = |state: &Value| {
        let until = text(state, "finishedAt").parse::<Timestamp>().ok();
        // Kubernetes' times have no fractions: all of the last second belongs to it.
        Life { from: text(state, "startedAt").parse().unwrap_or_default(), until: until.map(|t| t + SignedDuration::from_millis(999)) }
    };
    if previous {
        return last.map(ended).ok_or_else(|| format!("previous terminated container {container:?} in pod {name:?} not found"));
    }
    if let Some(state) = at(status, "state.running") {
        return Ok(Life { from: text(state, "startedAt").parse().unwrap_or_default(), until: None });
    }
    if let Some(state) = at(status, "state.terminated").or(last) {
        return Ok(ended(state));
    }
    Err(match text(status, "state.waiting.reason") {
        "" => format!("container {container:?} in pod {name:?} is waiting to start - no logs yet"),
        reason => {
            let why = match reason {
                "ErrImagePull" => "image can't be pulled",
                "ImagePullBackOff" => "trying and failing to pull image",
                other => other,
            };
            format!("container {container:?} in pod {name:?} is waiting to start: {why}")
        }
    })
}

/// Starts the container's process anew on a clock that is played back. It ends when nobody listens.
fn play(host: &Host, pod: &Value, name: &str, life: &Life, until: Option<Timestamp>) -> (AbortOnDropHandle<()>, mpsc::Receiver<Line>) {
    let container = runtime::fresh(&host.cluster, pod, name);
    let spec = container::spec(pod, name).cloned().unwrap_or_default();
    let argv = runtime::main_process(&spec, &container.env);
    let (sender, lines) = mpsc::channel(WAITING);
    let clock = Arc::new(Clock::played(life.from, until));
    let process = tokio::spawn(async move {
        let stream = || Output::Lines(Arc::default(), sender.clone());
        let (stdout, stderr) = (stream(), stream());
        let io = Io { stdin: Input::empty(), stdout: stdout.clone(), stderr: stderr.clone() };
        // A program that is missing prints nothing.
        let _ = shell::start(container, clock.clone(), None, &argv, io).await;
        stdout.finish(&clock).await;
        stderr.finish(&clock).await;
    });
    (AbortOnDropHandle::new(process), lines)
}

fn shown(line: &Line, timestamps: bool) -> Bytes {
    if !timestamps {
        return line.text.clone();
    }
    let stamp = line.at.strftime("%Y-%m-%dT%H:%M:%S.%9fZ ").to_string();
    [stamp.as_bytes(), &line.text].concat().into()
}

/// A log that is being followed.
pub(super) struct Follower {
    host: Host,
    target: Target,
    container: String,
    wanted: Wanted,
    from: Timestamp,
    /// Lines up to here are sent already.
    seen: Timestamp,
    /// Bytes that may still be sent.
    left: usize,
    lines: mpsc::Receiver<Line>,
    changes: watch::Receiver<u64>,
    _process: AbortOnDropHandle<()>,
}

impl Follower {
    /// What a container that runs prints from now on.
    pub(super) fn from_now(host: &Host, target: &Target, pod: &Value, container: &str) -> Option<Self> {
        let life = life(pod, container, false).ok().filter(|life| life.until.is_none())?;
        let (process, lines) = play(host, pod, container, &life, None);
        Some(Follower {
            changes: host.cluster.lister().changes(&target.kind.table()),
            host: host.clone(),
            target: target.clone(),
            container: container.to_owned(),
            wanted: Wanted { follow: true, previous: false, timestamps: false, tail: None, since: None, limit: None },
            from: life.from,
            seen: Timestamp::now(),
            left: usize::MAX,
            lines,
            _process: process,
        })
    }

    /// The next lines; `None` once the container, the sandbox or the limit has come to its end.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        while self.left > 0 {
            tokio::select! {
                biased;
                () = self.host.stop.cancelled() => return None,
                Some(line) = self.lines.recv() => {
                    if line.at <= self.seen || self.wanted.since.is_some_and(|since| line.at < since) {
                        continue;
                    }
                    let mut text = shown(&line, self.wanted.timestamps);
                    text.truncate(self.left);
                    self.left -= text.len();
                    return Some(text);
                }
                changed = self.changes.changed() => {
                    if changed.is_err() || self.is_over() {
                        return None;
                    }
                }
            }
        }
        None
    }

    /// Whether this life of the container has ended.
    fn is_over(&self) -> bool {
        let entry = self.host.cluster.lister().get(&self.target.kind.table(), &Key::new(&self.target.namespace, &self.target.name));
        let Some(pod) = entry.map(|entry| entry.value()) else { return true };
        let started = container::status(&pod, &self.container).map(|s| text(s, "state.running.startedAt").to_owned()).unwrap_or_default();
        started.parse::<Timestamp>().ok() != Some(self.from)
    }
}
