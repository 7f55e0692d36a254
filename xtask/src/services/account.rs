//! Under whom a server runs, and where: they refuse to run as root.

use crate::job::output;
use anyhow::{Context, Result};
use std::{path::Path, process::Command};
use tempfile::TempDir;

/// The account to run a server under; `None` where this process is not root's.
pub(super) fn account(name: &'static str) -> Option<&'static str> {
    rustix::process::geteuid().is_root().then_some(name)
}

/// A directory for a server's data that `user` may use; only what a server writes is in it.
pub(super) fn data_dir(user: Option<&str>) -> Result<TempDir> {
    let dir = tempfile::Builder::new().prefix("kubekcloud-").tempdir().context("make a temporary directory")?;
    if let Some(user) = user {
        output(Command::new("chown").arg(user).arg(dir.path()))?;
    }
    Ok(dir)
}

/// The program, run under the account, in a directory that the account can enter.
pub(super) fn run_as(user: Option<&str>, program: &Path, dir: &Path) -> Command {
    let mut command = match user {
        Some(user) => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", user, "--regid", user, "--init-groups", "--"]).arg(program);
            command
        }
        None => Command::new(program),
    };
    command.current_dir(dir).env("HOME", dir).env("LC_ALL", "C.UTF-8");
    command
}
