//! When the process of a container ends, and how: it is run ahead, in files of its own, on a clock that waits for nothing
//! ([`shell::ahead`]). The log plays the same process back from the same moment, so that both agree.
//!
//! Nothing is said of a process that doesn't end within the limits, that waits for input, or whose image may hold what the
//! shell lacks: such a container runs for ever, or as long as its kind of workload lets it.
//!
//! It is asked for at each step of each Pod. So there is one run for each life of a container, none where the shell does not
//! know the program, and one for all containers of the same command that runs on, which costs most.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::container;
use super::runtime::{self, ACCOUNT};
use crate::machinery::notation::value::{at, list, number, text};
use crate::server::cluster::Cluster;
use shell::ahead::{self, Ahead, End, Limits};
use shell::io::Input;

/// Lives whose outcome is kept, and commands that are known to run on.
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

/// What is known of the containers that run.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// By Pod.
    lives: HashMap<String, Lives>,
    endless: HashSet<u64>,
}

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
        if let Some((_, known)) = self.known().lives.get(uid).and_then(|lives| lives.get(name)).filter(|(known, _)| *known == life) {
            return known.clone();
        }
        let outcome = self.run(cluster, pod, spec, from).map(Arc::new);
        let mut known = self.known();
        if known.lives.len() >= KEPT {
            known.lives.retain(|uid, _| cluster.lister().by_uid(uid).is_some());
        }
        if known.lives.len() >= KEPT {
            known.lives.clear();
        }
        known.lives.entry(uid.to_owned()).or_default().insert(name.to_owned(), (life, outcome.clone()));
        outcome
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, cluster: &Cluster, pod: &Value, spec: &Value, from: Timestamp) -> Option<Outcome> {
        let command = closed(spec);
        if command.is_some_and(|command| self.known().endless.contains(&command)) {
            return None;
        }
        let inside = runtime::fresh(cluster, pod, text(spec, "name"));
        let argv = runtime::own_process(spec, &inside.env)?;
        let stdin = if spec["stdin"] == true { Input::silent() } else { Input::empty() };
        let Ahead { end, printed, lacked } = ahead::run(&inside, &argv, from, stdin, &Limits::default()).ok()?;
        let End::Exited { code, after } = end else {
            if let Some(command) = command {
                let mut known = self.known();
                if known.endless.len() >= KEPT {
                    known.endless.clear();
                }
                known.endless.insert(command);
            }
            return None;
        };
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
}

/// Words with which a script chooses its way, and those with which it reads what each Pod has of its own.
const CHOOSES: &[&str] = &["if", "[", "test", "while", "until", "exit", "break", "kill", "set", "grep"];
const READS: &[&str] =
    &["hostname", "hosts", "uname", "ps", "id", "whoami", "env", "printenv", "export", "date", "uptime", "ls", "stat", "find", "var", "run"];

/// Whether a script could end in one Pod and run on in another: it reads its Pod, and chooses.
fn may_differ(script: &str) -> bool {
    let script = script.replace(['"', '\'', '\\'], "").replace("while true", "").replace("while :", "");
    let has = |those: &[&str]| script.split(|c: char| c.is_whitespace() || ";(){}|&/".contains(c)).any(|word| those.contains(&word));
    let chooses = script.contains("&&") || script.contains("||") || has(CHOOSES);
    chooses && (script.contains(['$', '`', '<', '*', '?']) || has(READS))
}

/// What stands for a command whose end depends on nothing but itself: it has no files of the Pod's, its environment
/// stands in its spec, and it makes nothing of the Pod's name, address, user or time.
fn closed(spec: &Value) -> Option<u64> {
    let open = list(spec, "volumeMounts").iter().any(|m| text(m, "mountPath") != ACCOUNT)
        || !list(spec, "envFrom").is_empty()
        || list(spec, "env").iter().any(|e| at(e, "valueFrom").is_some())
        || may_differ(&runtime::own_words(spec).join(" "));
    let mut hasher = DefaultHasher::new();
    spec.to_string().hash(&mut hasher);
    (!open).then(|| hasher.finish())
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
    fn what_looks_at_its_pod_is_run_for_each() {
        for script in [
            r#"if [ "$HOSTNAME" = hb ]; then echo b; exit 3; fi; sleep 100000000"#,
            "grep hb /etc/hostname && exit 3; sleep infinity",
            "/bin/host'name' | grep hb && exit; tail -f /dev/null",
            "while [ $(date +%S) != 00 ]; do sleep 1; done",
        ] {
            let spec = json!({"image": "busybox", "command": ["sh", "-c", script]});
            assert_eq!(closed(&spec), None, "{script}");
        }
        for script in ["while true; do echo $(date) $HOSTNAME; sleep 5; done", "until [ -f /tmp/ready ]; do sleep 1; done", "tail -f /dev/null"] {
            let spec = json!({"image": "busybox", "command": ["sh", "-c", script]});
            assert!(closed(&spec).is_some(), "{script}");
        }
    }

    #[test]
    fn a_message_is_the_end_of_the_log() {
        assert_eq!(last_lines(b"one\ntwo\n"), b"one\ntwo\n");
        let long: String = (0..100).map(|n| format!("{n}\n")).collect();
        let kept = String::from_utf8_lossy(last_lines(long.as_bytes())).into_owned();
        assert_eq!((kept.lines().count(), kept.lines().next()), (LINES, Some("20")));
        assert_eq!(last_lines("x".repeat(5_000).as_bytes()).len(), LOG);
    }
}
