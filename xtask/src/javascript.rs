//! JavaScript packages that tasks run, kept in the user's cache directory.
//!
//! As in [`crate::python`], a directory is named after the hash of what it was made from, and a whole one is never
//! touched again.

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

/// The `node_modules` directory of a package with a lock file; made if missing. The inner error says what to type where it
/// cannot be.
pub(crate) fn modules(name: &str, package: &str, lock: &str) -> Result<Result<PathBuf, String>> {
    let can = || which("node").is_some() && which("npm").is_some();
    if let Installed::Not(how) = debian::ensure(&["nodejs", "npm"], can)? {
        return Ok(Err(how));
    }
    let version = output(Command::new("node").arg("--version"))?.stdout;
    let root = checkout::cache_dir("javascript")?;
    let dir = root.join(format!("{name}-{}", digest([package.as_bytes(), lock.as_bytes(), &version])));
    let guard = File::create(dir.with_extension("lock"))?;
    flock(&guard, FlockOperation::LockExclusive).context("wait for another task that installs the same packages")?;
    let complete = dir.join("complete");
    if !complete.is_file() {
        println!("      installing {name} into {}", dir.display());
        make(&dir, package, lock).with_context(|| format!("install {name}"))?;
        File::create(complete)?;
    }
    Ok(Ok(dir.join("node_modules")))
}

fn make(dir: &Path, package: &str, lock: &str) -> Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("remove the unfinished {}", dir.display()))?;
    }
    fs::create_dir_all(dir).with_context(|| format!("create {}", dir.display()))?;
    fs::write(dir.join("package.json"), package)?;
    fs::write(dir.join("package-lock.json"), lock)?;
    let options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    output(Command::new("npm").args(options).current_dir(dir))?;
    Ok(())
}
