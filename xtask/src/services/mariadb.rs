//! A throw-away MariaDB: nothing in it survives a power cut, or needs to.

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
use std::fs::File;

const USER: &str = "mysql";

pub(super) fn install() -> Result<Installed> {
    let there = || ["mariadbd", "mariadb-install-db", "mariadb"].into_iter().all(|program| which(program).is_some());
    debian::ensure(&["mariadb-server", "mariadb-client"], there)
}

pub(super) fn start() -> Result<Server> {
    let user = account(USER);
    let dir = data_dir(user)?;
    let data = dir.path().join("data");
    let install = which("mariadb-install-db").context("no mariadb-install-db")?;
    let mut install = run_as(user, &install, dir.path());
    install.arg("--no-defaults").arg(format!("--datadir={}", data.display())).args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
    output(&mut install)?;

    let port = free_port()?;
    let log = dir.path().join("server.log");
    let out = File::create(&log)?;
    let mut mariadbd = run_as(user, &which("mariadbd").context("no mariadbd")?, dir.path());
    mariadbd
        .arg("--no-defaults")
        .arg(format!("--datadir={}", data.display()))
        .arg(format!("--socket={}", dir.path().join("socket").display()))
        .arg(format!("--pid-file={}", dir.path().join("pid").display()))
        .arg(format!("--port={port}"))
        .args(["--bind-address=127.0.0.1", "--skip-name-resolve", "--skip-log-bin", "--max-connections=500"])
        .args(["--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--innodb-flush-method=nosync"]);
    let job = Job::start("MariaDB", mariadbd.stdout(out.try_clone()?).stderr(out))?;
    let url = format!("mysql://root@127.0.0.1:{port}/mysql");
    Server { kind: Kind::MariaDb, url, ours: Some((job, dir)) }.answering(&log)
}
