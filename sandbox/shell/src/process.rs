//! A process in a container: its variables, directory and streams.

use std::sync::Arc;

use bytes::Bytes;

use super::clock::Clock;
use super::io::Io;
use super::places::{Places, shown};
use super::stop::{Run, Stop};
use super::tty::Tty;
use super::variables::Variables;

/// A longer argument is refused, as by Linux.
pub(crate) const ARGUMENT: usize = 128 << 10;
/// Commands that run within each other: each takes some of its thread's stack, which no script may use up.
const DEPTH: usize = 64;
/// Processes of one program at a time: pipelines within pipelines are many before any of them has taken a step.
const PROCESSES: usize = 128;

/// What processes of one container share.
#[derive(Debug)]
pub struct Container {
    /// Its files.
    pub places: Places,
    /// Its name, as `hostname` prints it.
    pub hostname: String,
    /// Where its processes begin: absolute and clean ([`crate::places::absolute`]).
    pub workdir: String,
    /// Names and values that its processes begin with.
    pub env: Vec<(String, String)>,
    /// Its first process, as `ps` shows it.
    pub main: String,
    /// Its IP address, as `hostname -i` prints it.
    pub address: String,
    /// Whom its processes run as, as `id` prints it; 0 is root, and nobody is refused anything for being another.
    pub uid: i64,
    /// The group of its processes.
    pub gid: i64,
}

/// One process, or a subshell.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) container: Arc<Container>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) tty: Option<Arc<Tty>>,
    pub(crate) variables: Variables,
    pub(crate) arguments: Arc<Vec<String>>,
    pub(crate) cwd: String,
    pub(crate) status: i32,
    /// `set -e`.
    pub(crate) strict: bool,
    /// Loops that this one runs within.
    pub(crate) loops: usize,
    /// Commands that this one runs within.
    pub(crate) depth: usize,
}

impl Process {
    /// A process of its own, which begins with what this one has.
    pub(crate) async fn fork(&self, io: &Io) -> Run<Process> {
        self.clock.work(1)?;
        // Each process has the clock.
        if Arc::strong_count(&self.clock) > PROCESSES {
            self.complain(io, "sh: can't fork: Resource temporarily unavailable").await?;
            return Err(Stop::Exit(2));
        }
        Ok(self.clone())
    }

    /// Goes one level deeper: the level to return to. A script that runs itself ends here.
    pub(crate) async fn deeper(&mut self, io: &Io) -> Run<usize> {
        if self.depth >= DEPTH {
            self.complain(io, "sh: nested too deeply").await?;
            return Err(Stop::Exit(2));
        }
        self.depth += 1;
        Ok(self.depth - 1)
    }

    pub(crate) fn variable(&self, name: &str) -> &str {
        self.variables.get(name).map_or("", |(value, _)| value)
    }

    /// A variable or one of the special parameters; `None` when it is not set.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        match name {
            "?" => Some(self.status.to_string()),
            "#" => Some(self.arguments.len().to_string()),
            "$" => Some("7".to_owned()),
            "!" => None,
            "@" | "*" => Some(self.arguments.join(" ")),
            "0" => Some("sh".to_owned()),
            "PWD" => Some(shown(&self.cwd)),
            "RANDOM" => Some((self.clock.now().as_nanosecond() / 1_000_003 % 32_768).to_string()),
            _ => match name.parse::<usize>() {
                Ok(number) => self.arguments.get(number - 1).cloned(),
                Err(_) => self.variables.get(name).map(|(value, _)| value.to_owned()),
            },
        }
    }

    pub(crate) fn assign(&mut self, name: &str, value: String) -> Run<()> {
        let exported = self.variables.get(name).is_some_and(|(_, exported)| exported);
        self.variables.set(name, value, exported)
    }

    pub(crate) async fn say(&self, io: &Io, text: impl Into<Bytes>) -> Run<()> {
        io.stdout.write(&self.clock, text.into()).await
    }

    /// A line on the standard error stream: something was not to be had.
    pub(crate) async fn complain(&self, io: &Io, text: &str) -> Run<()> {
        self.clock.lack();
        io.stderr.write(&self.clock, format!("{text}\n").into()).await
    }
}
