//! Durable creates beside what the disk and SQLite can do at all.

use super::{
    api::ROUNDS,
    median,
    report::{Row, Target},
    sub, wrk,
};
use crate::{checkout, job::Interrupt, job::output, product::Product};
use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::json;
use std::{path::Path, process::Command};

const TOKEN: &str = "token-of-the-creator";
const SECONDS: u32 = 3;
const LEAST: f64 = 0.3;

/// Each round has a database and a sandbox of its own: what one round leaves to be reconciled is not the next one's load.
pub(super) fn row(binary: &Path, data: &Path, interrupt: &Interrupt) -> Result<Row> {
    let (mut commits, mut creates) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        interrupt.check()?;
        let dir = sub(data, &format!("create-{round}"))?;
        commits.push(bare_commits(&dir)?);
        creates.push(creates_per_second(binary, &dir)?);
        println!("creates: round {round} of {ROUNDS}");
    }
    let (commits, creates) = (median(commits), median(creates));
    let (peer, ours) = (format!("{commits:.0}"), format!("{creates:.0}"));
    Ok(Row {
        what: "durable creates/s beside bare SQLite commits/s".into(),
        peer,
        ours,
        figure: creates / commits,
        unit: "x",
        target: Target::AtLeast(LEAST),
    })
}

fn bare_commits(dir: &Path) -> Result<f64> {
    let script = checkout::root().join("bench").join("commits.py");
    let printed = output(Command::new("python3").arg(script).arg(dir.join("bare.db")).arg(SECONDS.to_string()))?.stdout;
    String::from_utf8_lossy(&printed).trim().parse().context("understand the rate of commits")
}

fn creates_per_second(binary: &Path, dir: &Path) -> Result<f64> {
    let sandbox = Product::dev(binary, &sub(dir, "dev")?)?;
    let ours = Product::serve(binary, &sub(dir, "serve")?, sandbox.kubeconfig.as_deref())?;
    let user = json!({"username": "creator", "token": TOKEN, "quota_cpu": 1_000_000, "quota_memory": 1_000_000});
    ours.call(Method::POST, "/api/v1/users/", &ours.admin_token, Some(&user))?;
    let script = checkout::root().join("bench").join("create.lua");
    wrk::run(&format!("{}/api/v1/clusters/", ours.url), TOKEN, SECONDS, Some(&script))
}
