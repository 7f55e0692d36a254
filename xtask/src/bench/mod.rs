//! `cargo xtask bench`: measures the release build and keeps what came out in docs/benchmarks.md.
//!
//! A figure below its target is an open item in that file. It is never left out, and never a failure.

mod api;
mod create;
mod idle;
mod machine;
mod report;
mod sandbox;
mod scale;
mod wrk;

use crate::{
    checkout,
    job::{Interrupt, Job},
};
use anyhow::{Context, Result, bail};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

const BUILD_LIMIT: Duration = Duration::from_secs(60 * 60);

#[derive(Debug, clap::Parser)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Requests, durable creates, memory and cold start, beside a FastAPI reading of the seeds
    Api,
    /// A thousand instances on a real apiserver, beside the same POSTs sent straight to it
    Scale,
    /// The sandbox: start, memory, lists of 10,000 Pods, 1,000 watches
    Sandbox,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let interrupt = Interrupt::catch()?;
    let section = match args.what {
        What::Api => api::run(&interrupt)?,
        What::Scale => scale::run(&interrupt)?,
        What::Sandbox => sandbox::run(&interrupt)?,
    };
    println!("\n{section}");
    report::keep(&section)
}

/// The release build of the product.
fn release(interrupt: &Interrupt) -> Result<PathBuf> {
    let mut cargo = checkout::cargo();
    cargo.args(["build", "--release", "--package", "kubekcloud"]);
    let status = Job::start("cargo build", &mut cargo)?.wait(BUILD_LIMIT, interrupt)?;
    if !status.success() {
        bail!("the release build failed ({status})");
    }
    Ok(checkout::target_dir().join("release").join("kubekcloud"))
}

/// A directory for data on the disk that holds the checkout's build, not in memory.
fn data_dir() -> Result<tempfile::TempDir> {
    let parent = checkout::target_dir();
    tempfile::Builder::new().prefix("bench-").tempdir_in(&parent).with_context(|| format!("make a directory in {}", parent.display()))
}

/// The middle value; of an even number the upper one.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A sub-directory, made.
fn sub(dir: &Path, name: &str) -> Result<PathBuf> {
    let dir = dir.join(name);
    std::fs::create_dir_all(&dir).with_context(|| format!("create {}", dir.display()))?;
    Ok(dir)
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 3.0);
        assert!(median(Vec::new()).is_nan());
    }
}
