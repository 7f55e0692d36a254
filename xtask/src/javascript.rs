//! JavaScript packages that tasks run, kept in the user's cache directory.

use crate::{cache::Folder, debian, debian::Installed, host::which, job::output};
use anyhow::{Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The `node_modules` directory of a package with a lock file; made if missing. The inner error says what to type where it
/// cannot be.
pub(crate) fn modules(name: &str, package: &str, lock: &str) -> Result<Result<PathBuf, String>> {
    let can = || which("node").is_some() && which("npm").is_some();
    if let Installed::Not(how) = debian::ensure(&["nodejs", "npm"], can)? {
        return Ok(Err(how));
    }
    let version = output(Command::new("node").arg("--version"))?.stdout;
    let folder = Folder::of("javascript", name, [package.as_bytes(), lock.as_bytes(), &version])?;
    let dir = folder.made(|dir| make(dir, package, lock)).with_context(|| format!("install {name}"))?;
    Ok(Ok(dir.join("node_modules")))
}

fn make(dir: &Path, package: &str, lock: &str) -> Result<()> {
    fs::write(dir.join("package.json"), package)?;
    fs::write(dir.join("package-lock.json"), lock)?;
    let options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    output(Command::new("npm").args(options).current_dir(dir))?;
    Ok(())
}
