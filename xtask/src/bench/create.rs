//! Durable creates beside what the disk and SQLite can do at all.

use super::{
    peer::ROUNDS,
    release::sub,
    report::{Row, Target, median},
    wrk,
};
use crate::{checkout, job::Interrupt, job::output, product::Product};
use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::json;
use std::{path::Path, process::Command};

const TOKEN: &str = "token-of-the-creator";
const SECONDS: u32 = 3;

/// Bare commits depend on the journal. Ours is WAL; the other is what SQLite does unasked. The last is how much of it we want.
const JOURNALS: [(&str, &str, f64); 2] = [("WAL", "in WAL mode, as ours", 0.15), ("DELETE", "with a rollback journal, SQLite's default", 0.3)];

/// Each round has a database and a sandbox of its own: what one round leaves to be reconciled is not the next one's load.
pub(super) fn rows(binary: &Path, data: &Path, interrupt: &Interrupt) -> Result<Vec<Row>> {
    let (mut commits, mut creates) = (JOURNALS.map(|_| Vec::new()), Vec::new());
    for round in 1..=ROUNDS {
        interrupt.check()?;
        let dir = sub(data, &format!("create-{round}"))?;
        for ((mode, ..), commits) in JOURNALS.iter().zip(&mut commits) {
            commits.push(bare_commits(&dir, mode)?);
        }
        creates.push(creates_per_second(binary, &dir)?);
        println!("creates: round {round} of {ROUNDS}");
    }
    let creates = median(creates);
    let row = |((_, how, least), commits): ((&str, &str, f64), Vec<f64>)| {
        let commits = median(commits);
        let what = format!("durable creates/s beside bare SQLite commits/s {how}");
        let (peer, ours) = (format!("{commits:.0}"), format!("{creates:.0}"));
        Row { what, peer, ours, figure: creates / commits, unit: "x", target: Target::AtLeast(least) }
    };
    Ok(JOURNALS.into_iter().zip(commits).map(row).collect())
}

fn bare_commits(dir: &Path, mode: &str) -> Result<f64> {
    let script = checkout::root().join("bench").join("commits.py");
    let mut python = Command::new("python3");
    python.arg(script).arg(dir.join(format!("bare-{mode}.db"))).args([mode, &SECONDS.to_string()]);
    let printed = output(&mut python)?.stdout;
    String::from_utf8_lossy(&printed).trim().parse().context("understand the rate of commits")
}

fn creates_per_second(binary: &Path, dir: &Path) -> Result<f64> {
    let sandbox = Product::dev(binary, &sub(dir, "dev")?)?;
    let ours = Product::serve(binary, &sub(dir, "serve")?, sandbox.kubeconfig.as_deref())?;
    let user = json!({"username": "creator", "token": TOKEN, "quota_cpu": 1_000_000, "quota_memory": 1_000_000, "quota_clusters": 1_000_000, "quota_instances": 1_000_000});
    ours.call(Method::POST, "/api/v1/users/", &ours.admin_token, Some(&user))?;
    let script = checkout::root().join("bench").join("create.lua");
    wrk::run(&format!("{}/api/v1/clusters/", ours.url), TOKEN, SECONDS, Some(&script))
}
