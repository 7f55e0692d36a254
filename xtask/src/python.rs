//! Python programs that tasks run, in virtual environments kept in the user's cache directory.

use crate::{cache::Folder, debian, debian::Installed, host::which, job::output};
use anyhow::{Context, Result};
use std::{
    fs,
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
    let folder = Folder::of("python", name, [requirements.as_bytes(), &interpreter])?;
    let dir = folder.made(|dir| make(dir, requirements)).with_context(|| format!("install {name}"))?;
    Ok(Ok(dir.join("bin")))
}

fn make(dir: &Path, requirements: &str) -> Result<()> {
    output(Command::new("python3").args(["-m", "venv"]).arg(dir))?;
    let list = dir.join("requirements.txt");
    fs::write(&list, requirements)?;
    let pip = dir.join("bin").join("python");
    output(Command::new(pip).args(["-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet", "--requirement"]).arg(&list))?;
    Ok(())
}
