//! The beginning and the end of a process.

use std::sync::Arc;

use super::clock::Clock;
use super::commands::known::is_program;
use super::interactive;
use super::interpret::run::program;
use super::io::Io;
use super::places::absolute;
use super::process::{Container, Process};
use super::stop::{Run, Stop};
use super::tty::Tty;
use super::variables::Variables;

/// Why a process does not begin, in the words of a container runtime.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unable to start container process: exec: {program:?}: {why}")]
pub struct NotStarted {
    /// The first word of the command line.
    pub program: String,
    /// What is wrong with it.
    pub why: String,
}

/// Runs a program to its end: its exit code, from 0 to 255. A clock that comes to its end first makes that 0. With a terminal
/// Ctrl-C ends it (130), and a shell without a script asks for commands.
///
/// Needs a tokio runtime with time. Whoever drops the future ends the process.
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
        Err(Stop::Full) => Some(2),
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
    let variables = Variables::of(&container.env);
    let cwd = container.workdir.clone();
    let mut process =
        Process { container, clock, tty: tty.clone(), variables, arguments: Arc::default(), cwd, status: 0, strict: false, loops: 0, depth: 0 };
    let name = argv.first().map_or("", String::as_str);
    if !is_program(&process, name) {
        let why = match name.contains('/') {
            true if process.container.places.is_dir(&absolute(&process.cwd, name)) => "is a directory".to_owned(),
            true => format!("stat {name}: no such file or directory"),
            false => "executable file not found in $PATH".to_owned(),
        };
        return Err(NotStarted { program: name.to_owned(), why });
    }
    let interactive = tty.is_some() && interactive::is_wanted(argv);
    let running = async { if interactive { interactive::shell(&mut process, &io).await } else { program(&mut process, &io, argv).await } };
    Ok(match &tty {
        Some(tty) if !interactive => tokio::select! {
            ended = running => ended,
            () = tty.interrupted() => Err(Stop::Exit(130)),
        },
        _ => running.await,
    })
}
