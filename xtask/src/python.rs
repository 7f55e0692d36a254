//! Python programs that tasks run, in virtual environments kept in the user's cache directory.
//!
//! A directory is named after the hash of its requirements and of the interpreter, so a changed pin
//! makes a new one, and a whole one is never touched again.

use crate::{
    checkout,
    digest::digest,
    job::output,
    services::{debian, debian::Installed, which},
};
use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

/// The environment's `bin` directory; made if missing. The inner error says what to type where it cannot be.
pub(crate) fn environment(name: &str, requirements: &str) -> Result<Result<PathBuf, String>> {
    // Debian splits venv from the interpreter.
    let can = || {
        which("python3").is_some()
            && Command::new("python3").args(["-c", "import ensurepip, venv"]).output().is_ok_and(|output| output.status.success())
    };
    if let Installed::Not(how) = debian::ensure(&["python3", "python3-venv"], can)? {
        return Ok(Err(how));
    }
    let interpreter = output(Command::new("python3").args(["-c", "import sys; print(sys.version, sys.executable)"]))?.stdout;
    let root = checkout::cache_dir("python")?;
    let dir = root.join(format!("{name}-{}", digest([requirements.as_bytes(), &interpreter])));
    let lock = File::create(dir.with_extension("lock"))?;
    flock(&lock, FlockOperation::LockExclusive).context("wait for another task that makes the same environment")?;
    let complete = dir.join("complete");
    if !complete.is_file() {
        println!("      installing {name} into {}", dir.display());
        make(&dir, requirements).with_context(|| format!("install {name}"))?;
        File::create(complete)?;
    }
    Ok(Ok(dir.join("bin")))
}

fn make(dir: &Path, requirements: &str) -> Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("remove the unfinished {}", dir.display()))?;
    }
    output(Command::new("python3").args(["-m", "venv"]).arg(dir))?;
    let list = dir.join("requirements.txt");
    fs::write(&list, requirements)?;
    let pip = dir.join("bin").join("python");
    output(Command::new(pip).args(["-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet", "--requirement"]).arg(&list))?;
    Ok(())
}
