//! Child processes that never outlive their task, and Ctrl-C.
//!
//! Every job is a process group of its own, so the terminal's Ctrl-C reaches only this process, which
//! then ends its jobs in its own order. Only groups started here are ever signalled.

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::{
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

const POLL: Duration = Duration::from_millis(20);
/// After this long a job that was asked to end is killed.
const STOP_LIMIT: Duration = Duration::from_secs(15);

/// Set by the first SIGINT or SIGTERM; whoever waits for a job looks at it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Takes over SIGINT and SIGTERM from here on.
    pub(crate) fn catch() -> Result<Self> {
        let interrupt = Self::default();
        let seen = interrupt.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start the signal handler")?;
        let (ready, handling) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            runtime.block_on(async move {
                use tokio::signal::unix::{SignalKind, signal};
                let signals = signal(SignalKind::interrupt()).and_then(|one| Ok((one, signal(SignalKind::terminate())?)));
                let failed = signals.as_ref().err().map(ToString::to_string);
                let _listening = ready.send(failed);
                let Ok((mut interrupted, mut terminated)) = signals else { return };
                loop {
                    tokio::select! {
                        _ = interrupted.recv() => {}
                        _ = terminated.recv() => {}
                    }
                    seen.0.store(true, Ordering::SeqCst);
                    eprintln!("\ninterrupted: stopping what was started");
                }
            });
        });
        match handling.recv() {
            Ok(None) => Ok(interrupt),
            Ok(Some(error)) => bail!("cannot handle signals: {error}"),
            Err(_) => bail!("cannot handle signals"),
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.0.load(Ordering::SeqCst) { bail!("interrupted") } else { Ok(()) }
    }
}

/// A running child; it and its children end with this value.
#[derive(Debug)]
pub(crate) struct Job {
    name: String,
    child: Child,
    /// How it ended, once it was reaped.
    status: Option<ExitStatus>,
    /// The signal that asks it to end.
    stop: Signal,
}

impl Job {
    /// Starts it without standard input.
    pub(crate) fn start(name: &str, command: &mut Command) -> Result<Self> {
        let child = command.stdin(Stdio::null()).process_group(0).spawn();
        let child = child.with_context(|| format!("start {name} ({})", command.get_program().display()))?;
        Ok(Self { name: name.to_owned(), child, status: None, stop: Signal::TERM })
    }

    pub(crate) const fn stopped_by(mut self, signal: Signal) -> Self {
        self.stop = signal;
        self
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has. What is left of its group ends with it.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        if self.status.is_none() && self.is_dead() {
            self.reap()?;
        }
        Ok(self.status)
    }

    /// Waits for the end; a job that takes longer than `limit` is ended, which is an error.
    pub(crate) fn wait(&mut self, limit: Duration, interrupt: &Interrupt) -> Result<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            interrupt.check()?;
            if Instant::now() >= deadline {
                self.end();
                bail!("{} took longer than {} s and was stopped", self.name, limit.as_secs());
            }
            std::thread::sleep(POLL);
        }
    }

    /// Ends it as SIGKILL does: it can do nothing about it.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.reap()
    }

    /// Asks it to end, waits, and kills what is left of its group.
    fn end(&mut self) {
        if self.status.is_some() {
            return;
        }
        self.signal(self.stop);
        let deadline = Instant::now() + STOP_LIMIT;
        while !self.is_dead() && Instant::now() < deadline {
            std::thread::sleep(POLL);
        }
        let _reaped = self.reap();
    }

    fn pid(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
    }

    /// Whether it has ended, leaving it a zombie: so long its number, which is its group's, stays taken.
    fn is_dead(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        self.pid().is_none_or(|pid| !matches!(waitid(WaitId::Pid(pid), options), Ok(None)))
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.pid() {
            // All of it may have ended by itself.
            let _gone = kill_process_group(group, signal);
        }
    }

    fn reap(&mut self) -> Result<()> {
        self.signal(Signal::KILL);
        let status = self.child.wait().with_context(|| format!("wait for {}", self.name))?;
        self.status = Some(status);
        Ok(())
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.end();
    }
}

/// Runs a short command to its end and returns its output; a failure is an error that shows it.
pub(crate) fn output(command: &mut Command) -> Result<Output> {
    let name = command.get_program().display().to_string();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("run {name}"))?;
    if !output.status.success() {
        let text = [output.stdout, output.stderr].concat();
        bail!("{name} ended with {}:\n{}", output.status, String::from_utf8_lossy(&text).trim_end());
    }
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_over_its_time_is_stopped_with_its_children() {
        let mut job = Job::start("sleeper", Command::new("sh").args(["-c", "sleep 60 & sleep 60"])).unwrap();
        let error = job.wait(Duration::from_millis(100), &Interrupt::default()).unwrap_err();
        assert!(error.to_string().contains("was stopped"), "{error}");
        assert!(job.ended().unwrap().is_some());
    }

    #[test]
    fn an_interrupt_ends_the_wait() {
        let interrupt = Interrupt::default();
        interrupt.0.store(true, Ordering::SeqCst);
        let mut job = Job::start("sleeper", Command::new("sleep").arg("60")).unwrap();
        assert!(job.wait(Duration::from_secs(60), &interrupt).is_err());
    }

    #[test]
    fn a_failure_shows_what_was_printed() {
        let error = output(Command::new("sh").args(["-c", "echo why >&2; exit 3"])).unwrap_err();
        assert!(error.to_string().contains("why"), "{error}");
    }
}
