//! `cargo xtask ci`: what CI runs, and nothing else. `.ci/run` calls it.

use crate::{
    checkout,
    job::{Interrupt, Job},
    lint,
    plan::{Counts, Outcome, Plan},
    test,
};
use anyhow::{Result, bail};
use std::{process::Command, time::Duration};

/// Cold on two cores clippy takes about four minutes.
const LIMIT: Duration = Duration::from_secs(30 * 60);

const FORMAT: &str = "cargo fmt --check";
const LINT: &str = "cargo xtask lint";
const CLIPPY: &str = "cargo clippy, warnings are errors";

/// Whether nothing failed.
pub(crate) fn run() -> Result<bool> {
    let interrupt = Interrupt::catch()?;
    let titles = [&[FORMAT, LINT, CLIPPY], test::STAGES].concat();
    println!("cargo xtask ci; from stage 4 on the same as cargo xtask test\n");
    let mut plan = Plan::announce(interrupt, checkout::in_ci(), &titles);
    plan.stage(FORMAT, |interrupt| check(interrupt, FORMAT, checkout::cargo().args(["fmt", "--all", "--check"])))?;
    plan.stage(LINT, |_| lint::all())?;
    plan.stage(CLIPPY, |interrupt| {
        let mut clippy = checkout::cargo();
        clippy.args(["clippy", "--workspace", "--all-targets", "--features", "kubekcloud/failpoints", "--", "--deny", "warnings"]);
        check(interrupt, CLIPPY, &mut clippy)
    })?;
    test::full(&mut plan)?;
    Ok(plan.close())
}

/// A command whose exit code is the verdict; what it prints is shown.
fn check(interrupt: &Interrupt, name: &str, command: &mut Command) -> Result<Outcome> {
    let status = Job::start(name, command)?.wait(LIMIT, interrupt)?;
    if !status.success() {
        bail!("it ended with {status}");
    }
    Ok(Outcome::Ran(Counts::ONE_PASSED))
}
