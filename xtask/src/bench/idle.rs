//! What a server costs before anybody asks it anything.

use super::{
    machine,
    peer::{Peer, ROUNDS, START_LIMIT},
    report::{Row, Target, median},
    wal::Commits,
};
use crate::{
    checkout::clean,
    host::free_port,
    job::{Interrupt, Job},
    product::Product,
};
use anyhow::{Context, Result, bail};
use std::{
    fs::File,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

const MEMORY_MOST: f64 = 40.0;
/// Of statements; commits are some of them, and all that SQLite lets one see.
const STATEMENTS_MOST: f64 = 5.0;
const START_MOST: f64 = 0.1;
/// So long after its last request a server counts as idle.
const IDLE: Duration = Duration::from_secs(10);

/// Its memory, and what it commits to its database while nobody asks.
pub(super) fn rows(ours: &Product, database: &Path, interrupt: &Interrupt) -> Result<[Row; 2]> {
    pause(interrupt, || Ok(()))?;
    let mut commits = Commits::of(database)?;
    pause(interrupt, || commits.look().map(drop))?;
    let a_second = commits.look()? as f64 / IDLE.as_secs_f64();
    let resident = machine::resident(ours.id())?;
    Ok([
        Row::alone("`serve` idle, MiB resident", resident, "MiB", Target::AtMost(MEMORY_MOST)),
        Row::alone("`serve` idle, SQLite commits a second", a_second, "", Target::AtMost(STATEMENTS_MOST)),
    ])
}

fn pause(interrupt: &Interrupt, mut look: impl FnMut() -> Result<()>) -> Result<()> {
    let until = Instant::now() + IDLE;
    while Instant::now() < until {
        interrupt.check()?;
        look()?;
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

pub(super) fn cold_start(peer: &Peer, binary: &Path, home: &Path, kubeconfig: &Path, interrupt: &Interrupt) -> Result<Row> {
    let (mut theirs, mut mine) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let (job, url) = peer.start()?;
        until_healthy(&url, interrupt)?;
        theirs.push(started.elapsed().as_secs_f64());
        drop(job);

        let port = free_port()?;
        let mut command = Command::new(binary);
        clean(&mut command);
        command.args(["serve", "--host", "127.0.0.1", "--port", &port.to_string()]).current_dir(home);
        command.env("DATABASE_URL", "sqlite:///./serve.db").env("K8S_CONFIG_PATH", kubeconfig);
        let out = File::create(home.join("output.log"))?;
        command.stdout(out.try_clone()?).stderr(out);
        let started = Instant::now();
        let job = Job::start("kubekcloud serve", &mut command)?;
        until_healthy(&format!("http://127.0.0.1:{port}"), interrupt)?;
        mine.push(started.elapsed().as_secs_f64());
        drop(job);
    }
    let (theirs, mine) = (median(theirs), median(mine));
    let (peer, ours) = (format!("{:.0}", theirs * 1000.0), format!("{:.0}", mine * 1000.0));
    Ok(Row { what: "cold start, ms".into(), peer, ours, figure: mine / theirs, unit: "x", target: Target::AtMost(START_MOST) })
}

/// Waits, without much of a pause, for the first 200 of `/health`.
pub(super) fn until_healthy(url: &str, interrupt: &Interrupt) -> Result<()> {
    let address = url.strip_prefix("http://").context("a plain HTTP address")?;
    let deadline = Instant::now() + START_LIMIT;
    while !healthy(address) {
        interrupt.check()?;
        if Instant::now() >= deadline {
            bail!("{url} does not answer");
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

fn healthy(address: &str) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}
