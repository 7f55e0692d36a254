//! When the process of a container ends, and how: it is run ahead, in files of its own, on a clock that waits for nothing
//! ([`shell::ahead`]). The log plays the same process back from the same moment, so that both agree.
//!
//! Nothing is said of a process that doesn't end within the limits, that waits for input, or whose image may hold what the
//! shell lacks: such a container runs for ever, or as long as its kind of workload lets it.
//!
//! It is asked for at each step of each Pod. So there is one run for each life of a container, and none where the shell does not
//! know the program. Nothing is remembered from one Pod for another: a script may look at the Pod that it runs in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::container;
use super::runtime;
use crate::machinery::notation::value::{number, text};
use crate::server::cluster::Cluster;
use shell::ahead::{self, Ahead, End, Limits};
use shell::io::Input;

/// Pods whose containers' outcomes are kept.
const KEPT: usize = 30_000;
/// Bytes of a termination message, and of the log where there is none: the last ones, as kubelet takes them.
const MESSAGE: usize = 4_096;
const LOG: usize = 2_048;
/// Lines of the log that are taken for it.
const LINES: usize = 80;

/// What a container's process comes to.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Whole ones, from its start.
    pub(crate) seconds: u64,
    pub(crate) code: i32,
    /// The last that it said.
    pub(crate) message: Option<String>,
}

impl Outcome {
    pub(crate) fn to_value(&self) -> Value {
        let reason = if self.code == 0 { "Completed" } else { "Error" };
        json!({"seconds": self.seconds, "exitCode": self.code, "reason": reason, "message": self.message})
    }
}

/// What is known of the containers that run, by Pod.
#[derive(Debug, Default)]
pub(crate) struct Outcomes(Mutex<HashMap<String, Lives>>);

/// Of each container its newest life, which the restarts count.
type Lives = HashMap<String, (i64, Option<Arc<Outcome>>)>;

impl Outcomes {
    /// What the process of a container that runs comes to, if that can be told.
    pub(crate) fn of(&self, cluster: &Cluster, pod: &Value, name: &str) -> Option<Arc<Outcome>> {
        let spec = container::spec(pod, name).filter(|spec| runtime::may_know(spec))?;
        let status = container::status(pod, name)?;
        let from = text(status, "state.running.startedAt").parse::<Timestamp>().ok()?;
        let uid = text(pod, "metadata.uid");
        let life = number(status, "restartCount").unwrap_or(0);
        if let Some((_, known)) = self.lives().get(uid).and_then(|lives| lives.get(name)).filter(|(known, _)| *known == life) {
            return known.clone();
        }
        let outcome = run(cluster, pod, spec, from).map(Arc::new);
        let mut lives = self.lives();
        if lives.len() >= KEPT {
            lives.retain(|uid, _| cluster.lister().by_uid(uid).is_some());
        }
        if lives.len() >= KEPT {
            lives.clear();
        }
        lives.entry(uid.to_owned()).or_default().insert(name.to_owned(), (life, outcome.clone()));
        outcome
    }

    fn lives(&self) -> MutexGuard<'_, HashMap<String, Lives>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs it ahead.
fn run(cluster: &Cluster, pod: &Value, spec: &Value, from: Timestamp) -> Option<Outcome> {
    let inside = runtime::fresh(cluster, pod, text(spec, "name"));
    let argv = runtime::own_process(spec, &inside.env)?;
    let stdin = if spec["stdin"] == true { Input::silent() } else { Input::empty() };
    let Ahead { end, printed, lacked } = ahead::run(&inside, &argv, from, stdin, &Limits::default()).ok()?;
    let End::Exited { code, after } = end else { return None };
    if lacked {
        return None;
    }
    let path = [text(spec, "terminationMessagePath"), "/dev/termination-log"].into_iter().find(|path| !path.is_empty())?;
    let left = inside.places.read(&shell::places::absolute("", path)).unwrap_or_default();
    let falls_back = code != 0 && text(spec, "terminationMessagePolicy") == "FallbackToLogsOnError";
    let message = if left.is_empty() && falls_back { last_lines(&printed) } else { last(&left, MESSAGE) };
    let message = (!message.is_empty()).then(|| String::from_utf8_lossy(message).into_owned());
    Some(Outcome { seconds: after.as_secs(), code, message })
}

fn last(bytes: &[u8], most: usize) -> &[u8] {
    &bytes[bytes.len().saturating_sub(most)..]
}

/// The end of a log, as it stands in for a message.
fn last_lines(log: &[u8]) -> &[u8] {
    let log = last(log, LOG);
    let ends = log.iter().enumerate().rev().filter(|(at, byte)| **byte == b'\n' && at + 1 < log.len());
    let from = ends.map(|(at, _)| at + 1).nth(LINES - 1).unwrap_or(0);
    &log[from..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_the_end_of_the_log() {
        assert_eq!(last_lines(b"one\ntwo\n"), b"one\ntwo\n");
        let long: String = (0..100).map(|n| format!("{n}\n")).collect();
        let kept = String::from_utf8_lossy(last_lines(long.as_bytes())).into_owned();
        assert_eq!((kept.lines().count(), kept.lines().next()), (LINES, Some("20")));
        assert_eq!(last_lines("x".repeat(5_000).as_bytes()).len(), LOG);
    }
}
