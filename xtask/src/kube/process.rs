//! Processes that outlive the command that started them, and are found again only as themselves.
//!
//! A pid alone may since belong to somebody else; with the start time and the boot it is unique, and
//! nothing is ever signalled by name.

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) name: String,
    pid: i32,
    /// Clock ticks after boot, field 22 of `/proc/PID/stat`.
    start_time: u64,
    boot_id: String,
}

impl Process {
    /// Starts a component.
    pub(crate) fn spawn(name: &str, program: &Path, args: &[String], home: &Path, log: &Path) -> Result<Self> {
        Self::start(name, &mut component(program, args, home, log)?)
    }

    /// Starts a component that its caller has prepared.
    pub(crate) fn start(name: &str, command: &mut Command) -> Result<Self> {
        let child = command.spawn().with_context(|| format!("start {} ({})", name, command.get_program().display()))?;
        let pid = i32::try_from(child.id())?;
        let start_time = stat(pid).with_context(|| format!("{name} ended at once, see its log"))?.start_time;
        Ok(Self { name: name.to_owned(), pid, start_time, boot_id: boot_id()? })
    }

    pub(crate) fn alive(&self) -> bool {
        let Some(stat) = stat(self.pid) else {
            return false;
        };
        // A zombie has ended: its parent just has not looked yet.
        stat.start_time == self.start_time && !matches!(stat.state, 'Z' | 'X') && boot_id().is_ok_and(|boot_id| boot_id == self.boot_id)
    }

    /// Signals the process if it is still itself; one that is gone is no error.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(pid) = Pid::from_raw(self.pid).filter(|_| self.alive()) {
            // It may end between the look and the call; then there is nothing to do.
            let _gone = kill_process(pid, signal);
        }
    }
}

/// A component in a process group of its own, with an environment of its own: proxy variables and the
/// user's kubeconfig must not steer it.
pub(crate) fn component(program: &Path, args: &[String], home: &Path, log: &Path) -> Result<Command> {
    let out = File::create(log).with_context(|| format!("create {}", log.display()))?;
    let mut command = Command::new(program);
    command
        .args(args)
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(out.try_clone()?)
        .stderr(out)
        .process_group(0);
    Ok(command)
}

struct Stat {
    state: char,
    start_time: u64,
}

/// Reads `/proc/PID/stat`; the command's name in it may hold spaces and parentheses.
fn stat(pid: i32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let state = fields.next()?.chars().next()?;
    let start_time = fields.nth(18)?.parse().ok()?;
    Some(Stat { state, start_time })
}

fn boot_id() -> Result<String> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").context("read the boot id")?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(dir: &Path) -> Process {
        let args = ["30".to_owned()];
        Process::spawn("sleeper", Path::new("/bin/sleep"), &args, dir, &dir.join("log")).unwrap()
    }

    #[test]
    fn a_signalled_process_is_no_longer_alive() {
        let dir = tempfile::tempdir().unwrap();
        let process = sleeper(dir.path());
        assert!(process.alive());
        process.signal(Signal::KILL);
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
        while process.alive() {
            assert!(std::time::Instant::now() < deadline);
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_reused_pid_is_never_signalled() {
        let dir = tempfile::tempdir().unwrap();
        let process = sleeper(dir.path());
        let stranger = Process { start_time: process.start_time + 1, ..process.clone() };
        assert!(!stranger.alive());
        stranger.signal(Signal::KILL);
        let before_reboot = Process { boot_id: "another".to_owned(), ..process.clone() };
        assert!(!before_reboot.alive());
        before_reboot.signal(Signal::KILL);
        assert!(process.alive());
        process.signal(Signal::KILL);
    }
}
