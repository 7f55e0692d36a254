//! Others' crates: who may use them, their licences, where they are from, and what is known against them. cargo-deny
//! judges; what it holds us to, and why, stands in `deny.toml`.

use super::Verdict;
use crate::{
    cache::Folder,
    checkout::{self, in_ci},
    job::output,
};
use anyhow::{Context, Result};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

const VERSION: &str = "0.20.2";

/// What it found, by check.
pub(super) fn verdicts() -> Result<Vec<(&'static str, Verdict)>> {
    let rules = "others' crates keep to deny.toml";
    let advisories = "nothing is known against others' crates";
    let program = match program() {
        Err(error) if !in_ci() => return Ok(vec![(rules, Verdict::Skipped(format!("{error:#}")))]),
        program => program?,
    };
    let known = if has_advisories(&program) {
        check(&program, &["--disable-fetch", "advisories"])?
    } else {
        Verdict::Skipped("no advisory database can be fetched, and none is there".to_owned())
    };
    Ok(vec![(rules, check(&program, &["bans", "licenses", "sources"])?), (advisories, known)])
}

/// Built the first time.
fn program() -> Result<PathBuf> {
    let folder = Folder::of("cargo", "cargo-deny", [VERSION, env::consts::OS, env::consts::ARCH])?;
    let dir = folder.made(|dir| {
        println!("      building cargo-deny {VERSION} (the first time takes minutes)");
        let options = ["install", "--quiet", "--locked", "--version", VERSION, "cargo-deny", "--root"];
        output(checkout::cargo().args(options).arg(dir)).map(drop).context("build cargo-deny")
    })?;
    Ok(dir.join("bin").join("cargo-deny"))
}

fn check(program: &Path, what: &[&str]) -> Result<Verdict> {
    let mut deny = Command::new(program);
    deny.args(["--workspace", "--locked", "--log-level", "error", "check", "--show-stats"]).args(what);
    let output = deny.current_dir(checkout::root()).output().context("run cargo-deny")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(Verdict::Found(if output.status.success() { Vec::new() } else { said.lines().map(str::to_owned).collect() }))
}

/// Whether there is a database of advisories, the present one if it can be had.
fn has_advisories(program: &Path) -> bool {
    let fetched = Command::new(program).args(["fetch", "db"]).current_dir(checkout::root()).output();
    fetched.is_ok_and(|output| output.status.success()) || databases().is_some_and(|mut found| found.next().is_some())
}

/// Where cargo-deny keeps them.
fn databases() -> Option<impl Iterator<Item = PathBuf>> {
    let cargo = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")))?;
    let entries = fs::read_dir(cargo.join("advisory-dbs")).ok()?;
    Some(entries.flatten().map(|entry| entry.path().join("crates")).filter(|dir| dir.is_dir()))
}
