//! Debian packages: installed when this is root on Debian, else the line to type is said.

use crate::{host::which, job::output};
use anyhow::{Context, Result};
use std::process::Command;

/// Whether a program is there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Installed {
    Yes,
    /// What to do about it.
    Not(String),
}

/// Installs `packages` unless `there` says that it need not be.
pub(crate) fn ensure(packages: &[&str], there: impl Fn() -> bool) -> Result<Installed> {
    if there() {
        return Ok(Installed::Yes);
    }
    let line = format!("apt-get install --no-install-recommends {}", packages.join(" "));
    if which("apt-get").is_none() {
        return Ok(Installed::Not(format!("not installed here; on Debian: {line}")));
    }
    if !rustix::process::geteuid().is_root() {
        return Ok(Installed::Not(format!("not installed; type: sudo {line}")));
    }
    println!("      installing {}", packages.join(", "));
    output(apt().arg("update")).context("apt-get update")?;
    output(apt().args(["install", "--yes", "--no-install-recommends"]).args(packages)).context("install Debian packages")?;
    Ok(if there() { Installed::Yes } else { Installed::Not(format!("installed by {line}, but not found")) })
}

fn apt() -> Command {
    let mut apt = Command::new("apt-get");
    // Runlevel 1: the packages' own services are not started; ours are throw-away ones.
    apt.args(["--quiet", "--option", "Dpkg::Use-Pty=0", "--option", "DPkg::Lock::Timeout=120"])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("RUNLEVEL", "1");
    apt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_not_installed() {
        assert_eq!(ensure(&["no-such-package"], || true).unwrap(), Installed::Yes);
    }
}
