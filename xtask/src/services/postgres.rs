//! A throw-away PostgreSQL: nothing in it survives a power cut, or needs to.

use super::{
    Kind, Server,
    account::{account, data_dir, run_as},
};
use crate::{
    debian::{self, Installed},
    host::{free_port, which},
    job::{Job, output},
};
use anyhow::{Context, Result};
use rustix::process::Signal;
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

const USER: &str = "postgres";
/// Debian keeps the servers of all versions here, off PATH.
const VERSIONS: &str = "/usr/lib/postgresql";

pub(super) fn install() -> Result<Installed> {
    debian::ensure(&["postgresql", "postgresql-client"], || bin().is_some() && which("psql").is_some())
}

pub(super) fn start() -> Result<Server> {
    let bin = bin().context("no PostgreSQL server program")?;
    let user = account(USER);
    let dir = data_dir(user)?;
    let data = dir.path().join("data");
    let mut initdb = run_as(user, &bin.join("initdb"), dir.path());
    initdb.arg("--pgdata").arg(&data).args(["--username", USER, "--auth", "trust", "--encoding", "UTF8", "--no-sync"]);
    output(&mut initdb)?;

    let port = free_port()?;
    let log = dir.path().join("server.log");
    let out = File::create(&log)?;
    let mut postgres = run_as(user, &bin.join("postgres"), dir.path());
    postgres.arg("-D").arg(&data).args(["-p", &port.to_string()]);
    for setting in [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "max_connections=500",
    ] {
        postgres.args(["-c", setting]);
    }
    // Where Debian's package brings it: it counts statements, and is read by who asks for them.
    if library(&bin, "pg_stat_statements").is_some() {
        postgres.args(["-c", "shared_preload_libraries=pg_stat_statements"]);
    }
    // SIGINT: end at once, in order. SIGTERM would wait for clients.
    let job = Job::start("PostgreSQL", postgres.stdout(out.try_clone()?).stderr(out))?.stopped_by(Signal::INT);
    let url = format!("postgresql://{USER}@127.0.0.1:{port}/postgres");
    Server { kind: Kind::Postgres, url, ours: Some((job, dir)) }.answering(&log)
}

/// A module that the server can load.
fn library(bin: &Path, name: &str) -> Option<PathBuf> {
    let file = bin.parent()?.join("lib").join(name).with_extension("so");
    file.is_file().then_some(file)
}

/// The newest version's programs.
fn bin() -> Option<PathBuf> {
    let versions = fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let debian = versions.filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin"))));
    let newest = debian.filter(|(_, bin)| bin.join("postgres").is_file()).max();
    newest.map(|(_, bin)| bin).or_else(|| which("postgres")?.parent().map(Path::to_owned))
}
