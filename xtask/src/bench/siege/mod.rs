//! `cargo xtask bench siege`: what others notice of thousands of connections that say nothing, or not all.

mod held;

use super::{
    caller::Caller,
    machine,
    release::{data_dir, release, sub},
    report::{Row, Section, Target, percentile},
};
use crate::{job::Interrupt, product::Product};
use anyhow::{Context, Result};
use held::{Held, Says};
use reqwest::Method;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use std::{path::PathBuf, time::Duration};

const CONNECTIONS: usize = 5_000;
const BODIES: usize = 2_000;
/// Those who send bodies: each stays below what a user may have under way.
const SENDERS: usize = 8;
const SAMPLES: usize = 200;
/// Until what is held is held.
const SETTLE: Duration = Duration::from_secs(3);

const HEALTH_MOST: f64 = 100.0;
const SLOWDOWN_MOST: f64 = 3.0;
const MIB_MOST: f64 = 150.0;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Measure this binary in place of a release build, and keep nothing
    #[arg(long, value_name = "PATH")]
    pub(super) binary: Option<PathBuf>,
}

/// So many connections, which say these in turn.
struct Siege {
    what: String,
    says: Vec<Says>,
    count: usize,
}

/// Milliseconds of each sample.
struct Seen {
    caller: Vec<f64>,
    health: Vec<f64>,
    /// MiB at most.
    resident: f64,
}

pub(super) fn run(args: &Args, interrupt: &Interrupt) -> Result<Section> {
    let (machine, load) = (machine::describe()?, machine::load()?);
    println!("load average {load:.2}");
    let binary = args.binary.clone().map_or_else(|| release(interrupt), Ok)?;
    let data = data_dir()?;
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).context("allow this process more open files")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("start the async runtime")?;
    let tokens: Vec<String> = (0..SENDERS).map(|n| token(&format!("sender-{n}"))).collect();
    let connections = Siege {
        what: format!("{CONNECTIONS} silent or crawling connections"),
        says: vec![Says::nothing(), Says::ever_more("GET /api/v1/users/me HTTP/1.1\r\nhost: x\r\nx-slow: ")],
        count: CONNECTIONS,
    };
    let bodies = Siege { what: format!("{BODIES} half-sent bodies"), says: tokens.iter().map(|token| half_a_body(token)).collect(), count: BODIES };
    let mut rows = Vec::new();
    for (n, siege) in [connections, bodies].iter().enumerate() {
        // What one leaves in memory is not the next one's.
        let ours = Product::serve(&binary, &sub(data.path(), &format!("serve-{n}"))?, None)?;
        rows.extend(runtime.block_on(under(&ours, siege, interrupt))?);
    }
    Ok(Section { title: "Siege", machine, load, rows, notes: notes() })
}

fn notes() -> Vec<String> {
    vec![
        "`kubekcloud serve` (release build) on SQLite; who besieges it and who asks are one process on the same cores. A fresh server for each siege.".into(),
        format!(
            "Connections: half silent, half sending a header's byte a second, from 8 addresses, so that no bound of one address is met; one that is \
             closed is opened anew after a second. Bodies: 15 kB of 30 kB, below what a body may have before it must ask for room, of {SENDERS} users who may create clusters."
        ),
        format!(
            "Another caller: {SAMPLES} requests of `/api/v1/users/me/quota`, one after the other, each on a new connection, and as many of `/livez` on \
             the operator's port. HTTP/2 is not spoken: there are no streams to storm with."
        ),
    ]
}

fn token(name: &str) -> String {
    format!("token-of-the-benchmark-{name}")
}

fn half_a_body(token: &str) -> Says {
    let head = format!(
        "POST /api/v1/clusters HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: 30000\r\n\r\n"
    );
    Says::once(head + &"x".repeat(15_000))
}

async fn under(ours: &Product, siege: &Siege, interrupt: &Interrupt) -> Result<[Row; 3]> {
    let Siege { what, says, count } = siege;
    let admin = Caller::new(&ours.url, &ours.admin_token)?;
    for name in (0..SENDERS).map(|n| format!("sender-{n}")).chain(["other".to_owned()]) {
        let user = json!({"username": name, "token": token(&name), "quota_cpu": 1, "quota_memory": 1});
        admin.ask(Method::POST, "/api/v1/users/", Some(&user)).await?;
    }
    // The first requests of a process are not like the others.
    look(ours, interrupt).await?;
    let quiet = percentile(look(ours, interrupt).await?.caller, 99);
    let held = Held::open(&ours.url, says, *count)?;
    tokio::time::sleep(SETTLE).await;
    let open = held.open_now();
    let Seen { caller, health, resident } = look(ours, interrupt).await?;
    let caller = percentile(caller, 99);
    println!("{what}: {open} open, {} after the samples", held.open_now());
    Ok([
        Row::alone(format!("{what}: slowest `/livez`"), percentile(health, 100), "ms", Target::AtMost(HEALTH_MOST)).said(format!("{open} open")),
        Row {
            what: format!("{what}: another caller's p99"),
            peer: format!("in quiet {quiet:.1} ms"),
            ours: format!("{caller:.1} ms"),
            figure: caller / quiet,
            unit: "x",
            target: Target::AtMost(SLOWDOWN_MOST),
        },
        Row::alone(format!("{what}: memory"), resident, "MiB", Target::AtMost(MIB_MOST)),
    ])
}

async fn look(ours: &Product, interrupt: &Interrupt) -> Result<Seen> {
    let token = token("other");
    let (caller, health) = (Caller::connecting(&ours.url, &token)?, Caller::connecting(&ours.operations_url, &token)?);
    let mut seen = Seen { caller: Vec::new(), health: Vec::new(), resident: 0.0 };
    for _ in 0..SAMPLES {
        interrupt.check()?;
        seen.caller.push(caller.get("/api/v1/users/me/quota").await?.seconds * 1e3);
        seen.health.push(health.get("/livez").await?.seconds * 1e3);
        seen.resident = seen.resident.max(machine::resident(ours.id())?);
    }
    Ok(seen)
}
