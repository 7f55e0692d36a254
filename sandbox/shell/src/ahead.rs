//! What a process will come to, told before it happens: whoever simulates containers asks when one ends, and how.
//!
//! The process runs on a clock of its own that waits for nothing, so `sleep 3600` takes microseconds. Nothing here needs
//! an async runtime: the one who polls is [`run`] itself, and a process that waits for something that nobody here does
//! (input, above all) is one that runs on.
//!
//! The same command comes to the same as in a log that is played back from the same time
//! ([`Clock::played`](crate::clock::Clock::played)), as long as it stays within the limits.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

use super::clock::Clock;
use super::io::{Input, Io, Kept, Output};
use super::process::Container;
use super::start::{NotStarted, begin, code};

/// How far a process is run ahead.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Time on its clock. One that sleeps for longer runs on.
    pub time: Duration,
    /// Commands, sleeps, and pieces of 4 KiB that are read or written. Each command takes a millisecond on its clock.
    pub steps: u64,
    /// Time of the thread's processor. Commands differ in what they cost, and this bounds those that cost much; what stays below the other
    /// limits takes a few milliseconds, so that it hardly ever decides.
    pub cpu: Duration,
    /// Bytes of its output that are kept: the last ones.
    pub printed: usize,
}

impl Default for Limits {
    /// 30 days, 10,000 steps, a quarter of a second of work, and the last 4 KiB of output.
    fn default() -> Self {
        Limits { time: Duration::from_secs(30 * 24 * 3_600), steps: 10_000, cpu: Duration::from_millis(250), printed: 4 << 10 }
    }
}

/// What a process came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ahead {
    /// How it ended, if it did.
    pub end: End,
    /// The last bytes that it printed on standard output and standard error, in that order in which it did.
    pub printed: Bytes,
    /// Whether something that it wanted is not here: a program, an option, a piece of syntax, a file. A real image may have
    /// what the shell has not, so that the end is then that of the shell, and not to be taken for the image's.
    pub lacked: bool,
}

/// The end of a process that was run ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It ended by itself.
    Exited {
        /// 0 to 255, as a shell has it: 141 when nobody read its output.
        code: i32,
        /// Time on its clock from its start. A command takes a millisecond, so that `sleep 2` takes 2.001 seconds.
        after: Duration,
    },
    /// It did not end within the limits, or it waits for input.
    RunsOn,
}

/// Runs a program from `from` on, until it ends, meets a limit or waits for what doesn't come. The files that it wrote are
/// in the container's tree afterwards. [`Input::empty`] is what a process without standard input reads,
/// [`Input::silent`] one whose input is open and nobody types.
///
/// It does not wait, and may be called within an async runtime as well as without one.
///
/// # Errors
/// When there is no such program.
pub fn run(container: &Arc<Container>, argv: &[String], from: Timestamp, stdin: Input, limits: &Limits) -> Result<Ahead, NotStarted> {
    let clock = Arc::new(Clock::ahead(from, limits.time, limits.steps, limits.cpu));
    let kept = Kept::new(limits.printed);
    let output = Output::Kept(kept.clone());
    let io = Io { stdin, stdout: output.clone(), stderr: output };
    let ended = drive(begin(container.clone(), clock.clone(), None, argv, io)).transpose()?;
    let end = match ended.and_then(code) {
        Some(code) => End::Exited { code, after: clock.now().duration_since(from).unsigned_abs() },
        None => End::RunsOn,
    };
    Ok(Ahead { end, printed: kept.take(), lacked: clock.has_lacked() })
}

/// Polls for as long as there is something to do; `None` when it waits for somebody else.
fn drive<T>(future: impl Future<Output = T>) -> Option<T> {
    // Within a runtime, its streams would otherwise wait for the runtime's next turn now and then.
    let mut future = pin!(tokio::task::unconstrained(future));
    let woken = Arc::new(Woken(AtomicBool::new(true)));
    let waker = Waker::from(woken.clone());
    let mut context = Context::from_waker(&waker);
    while woken.0.swap(false, Ordering::Relaxed) {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return Some(done);
        }
    }
    None
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
