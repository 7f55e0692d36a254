//! A process in a container: its variables, directory and streams.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::clock::Clock;
use super::io::{Io, Run, Stop};
use super::parse::List;
use super::places::{Places, absolute};
use super::tty::Tty;
use super::{commands, interactive, run};

/// More variables than this are not kept.
const VARIABLES: usize = 1_000;

/// Commands that run within each other: each takes some of its thread's stack, which no script may use up.
const DEPTH: usize = 64;

/// What processes of one container share.
#[derive(Debug)]
pub struct Container {
    pub places: Places,
    pub hostname: String,
    pub workdir: String,
    pub env: Vec<(String, String)>,
    /// Its first process, as `ps` shows it.
    pub main: String,
    pub address: String,
    pub uid: i64,
    pub gid: i64,
}

/// One process, or a subshell.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) container: Arc<Container>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) tty: Option<Arc<Tty>>,
    /// A value, and whether programs see it.
    pub(crate) variables: BTreeMap<String, (String, bool)>,
    pub(crate) arguments: Vec<String>,
    pub(crate) cwd: String,
    pub(crate) status: i32,
    /// `set -e`.
    pub(crate) strict: bool,
    /// Commands that this one runs within.
    pub(crate) depth: usize,
}

/// Why a process does not begin, in the words of a container runtime.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unable to start container process: exec: {program:?}: {why}")]
pub struct NotStarted {
    /// The first word of the command line.
    pub program: String,
    /// What is wrong with it.
    pub why: String,
}

/// Runs a program to its end: its exit code. A clock that comes to its end first makes that 0.
///
/// # Errors
/// When there is no such program.
pub async fn start(container: Arc<Container>, clock: Arc<Clock>, tty: Option<Arc<Tty>>, argv: &[String], io: Io) -> Result<i32, NotStarted> {
    Ok(code(begin(container, clock, tty, argv, io).await?).unwrap_or(0))
}

/// The exit code of a process; `None` when it did not come to one.
pub(crate) fn code(ended: Run<i32>) -> Option<i32> {
    match ended {
        Ok(status) | Err(Stop::Exit(status)) => Some(status),
        Err(Stop::Broken) => Some(141),
        Err(Stop::Break | Stop::Continue) => Some(0),
        Err(Stop::Ended) => None,
    }
}

pub(crate) async fn begin(
    container: Arc<Container>,
    clock: Arc<Clock>,
    tty: Option<Arc<Tty>>,
    argv: &[String],
    io: Io,
) -> Result<Run<i32>, NotStarted> {
    let variables = container.env.iter().map(|(k, v)| (k.clone(), (v.clone(), true))).collect();
    let cwd = container.workdir.clone();
    let mut process = Process { container, clock, tty: tty.clone(), variables, arguments: vec![], cwd, status: 0, strict: false, depth: 0 };
    let name = argv.first().map_or("", String::as_str);
    if !commands::is_program(&process, name) {
        let why = match name.contains('/') {
            true if process.container.places.is_dir(&absolute(&process.cwd, name)) => "is a directory".to_owned(),
            true => format!("stat {name}: no such file or directory"),
            false => "executable file not found in $PATH".to_owned(),
        };
        return Err(NotStarted { program: name.to_owned(), why });
    }
    let interactive = tty.is_some() && interactive::is_wanted(argv);
    let running = async { if interactive { interactive::shell(&mut process, &io).await } else { run::program(&mut process, &io, argv).await } };
    Ok(match &tty {
        Some(tty) if !interactive => tokio::select! {
            ended = running => ended,
            () = tty.interrupted() => Err(Stop::Exit(130)),
        },
        _ => running.await,
    })
}

impl Process {
    pub(crate) fn fork(&self) -> Process {
        self.clone()
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
            "PWD" => Some(commands::shown(&self.cwd)),
            "RANDOM" => Some((self.clock.now().as_nanosecond() / 1_000_003 % 32_768).to_string()),
            _ => match name.parse::<usize>() {
                Ok(number) => self.arguments.get(number - 1).cloned(),
                Err(_) => self.variables.get(name).map(|(value, _)| value.clone()),
            },
        }
    }

    pub(crate) fn assign(&mut self, name: &str, value: String) {
        let exported = self.variables.get(name).is_some_and(|(_, exported)| *exported);
        if self.variables.len() < VARIABLES || self.variables.contains_key(name) {
            self.variables.insert(name.to_owned(), (value, exported));
        }
    }

    pub(crate) async fn say(&self, io: &Io, text: impl Into<Bytes>) -> Run<()> {
        io.stdout.write(&self.clock, text.into()).await
    }

    /// A line on the standard error stream.
    pub(crate) async fn complain(&self, io: &Io, text: &str) -> Run<()> {
        io.stderr.write(&self.clock, format!("{text}\n").into()).await
    }

    /// Runs a list of its own; leaving it leaves only it.
    pub(crate) async fn subshell(&mut self, io: &Io, list: &List) -> Run<i32> {
        match run::list(self, io, list).await {
            Err(Stop::Exit(status)) => Ok(status),
            Err(Stop::Broken) => Ok(141),
            other => other,
        }
    }
}
