//! The build that is measured, and where its data goes.

use crate::{
    checkout,
    job::{Interrupt, Job},
};
use anyhow::{Context, Result, bail};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

pub(super) const BUILD_LIMIT: Duration = Duration::from_secs(60 * 60);

/// The release build of the product.
pub(super) fn release(interrupt: &Interrupt) -> Result<PathBuf> {
    let mut cargo = checkout::cargo();
    cargo.args(["build", "--release", "--package", "kubekcloud"]);
    let status = Job::start("cargo build", &mut cargo)?.wait(BUILD_LIMIT, interrupt)?;
    if !status.success() {
        bail!("the release build failed ({status})");
    }
    Ok(checkout::target_dir().join("release").join("kubekcloud"))
}

/// A directory for data on the disk that holds the checkout's build, not in memory.
pub(super) fn data_dir() -> Result<tempfile::TempDir> {
    let parent = checkout::target_dir();
    tempfile::Builder::new().prefix("bench-").tempdir_in(&parent).with_context(|| format!("make a directory in {}", parent.display()))
}

/// A sub-directory, made.
pub(super) fn sub(dir: &Path, name: &str) -> Result<PathBuf> {
    let dir = dir.join(name);
    std::fs::create_dir_all(&dir).with_context(|| format!("create {}", dir.display()))?;
    Ok(dir)
}
