//! `cargo xtask bench api`

use super::{
    create, idle, machine,
    peer::{self, Peer, ROUNDS},
    release::{data_dir, release, sub},
    report::{Row, Section, Target, median},
    wrk,
};
use crate::{job::Interrupt, product::Product};
use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde_json::json;

const TOKEN: &str = "token-of-the-benchmark";
const SECONDS: u32 = 3;
const CLUSTERS: i64 = 20;

/// What, the path, and how many times the peer's rate ours should be.
const READS: &[(&str, &str, Target)] = &[
    ("quota, requests/s", "/api/v1/users/me/quota", Target::AtLeast(15.0)),
    ("list of 20 clusters, requests/s", "/api/v1/clusters/", Target::AtLeast(15.0)),
    ("one cluster with 3 instances, requests/s", "/api/v1/clusters/1", Target::None),
];

pub(super) fn run(interrupt: &Interrupt) -> Result<Section> {
    wrk::install()?;
    let installed = peer::install()?;
    let (machine, load) = (machine::describe()?, machine::load()?);
    println!("load average {load:.2}");
    let binary = release(interrupt)?;
    let data = data_dir()?;
    let peer = Peer::filled(installed, sub(data.path(), "peer")?, TOKEN)?;

    let sandbox = Product::dev(&binary, &sub(data.path(), "dev")?)?;
    let kubeconfig = sandbox.kubeconfig.as_deref().context("dev has a Kubernetes")?;
    let home = sub(data.path(), "serve")?;
    let ours = Product::serve(&binary, &home, Some(kubeconfig))?;
    furnish(&ours)?;
    let idle = idle::rows(&ours, &home.join("serve.db"), interrupt)?;
    let mut rows = reads(&peer, &ours, interrupt)?;
    drop(ours);
    rows.extend(idle);
    rows.push(idle::cold_start(&peer, &binary, &home, kubeconfig, interrupt)?);
    drop(sandbox);
    rows.extend(create::rows(&binary, data.path(), interrupt)?);
    Ok(Section { title: "API", machine, load, rows, notes: notes() })
}

fn notes() -> Vec<String> {
    vec![
        format!("Medians of {ROUNDS} rounds in which both take turns; wrk with {} connections for {SECONDS} s each. Every answer was a success.", wrk::CONNECTIONS),
        "Peer: `bench/fastapi_seed/`, FastAPI and SQLAlchemy on one uvicorn process with uvloop and httptools, synchronous routes, eager loading, \
         SQLite in WAL mode; it answers the same clusters with a status made from that of their instances."
            .into(),
        "Ours: `kubekcloud serve` (release build) on SQLite, connected to the sandbox of a `kubekcloud dev` process.".into(),
        "Durable creates: clusters of one instance with `synchronous=FULL`, while the same process makes their objects in the sandbox; fresh database and \
         sandbox each round. Peer: bare SQLite commits of one row (`bench/commits.py`) on the same disk."
            .into(),
        "Idle: `serve` with its 20 clusters running, before any load; its commits are counted in the write-ahead log for 10 s. Cold start: from starting the process to the first 200 of \
         `/health`, the database being there."
            .into(),
    ]
}

fn reads(peer: &Peer, ours: &Product, interrupt: &Interrupt) -> Result<Vec<Row>> {
    let (_job, peer_url) = peer.start()?;
    idle::until_healthy(&peer_url, interrupt)?;
    let mut rates = vec![(Vec::new(), Vec::new()); READS.len()];
    for round in 1..=ROUNDS {
        for ((_, path, _), (theirs, mine)) in READS.iter().zip(&mut rates) {
            interrupt.check()?;
            theirs.push(wrk::run(&format!("{peer_url}{path}"), TOKEN, SECONDS, None)?);
            mine.push(wrk::run(&format!("{}{path}", ours.url), TOKEN, SECONDS, None)?);
        }
        println!("reads: round {round} of {ROUNDS}");
    }
    let rows = READS.iter().zip(rates).map(|(&(what, _, target), (theirs, mine))| {
        let (theirs, mine) = (median(theirs), median(mine));
        let (peer, ours) = (format!("{theirs:.0}"), format!("{mine:.0}"));
        Row { what: what.to_owned(), peer, ours, figure: mine / theirs, unit: "x", target }
    });
    Ok(rows.collect())
}

/// The same data as the peer's: one user, 20 clusters of 3 instances, all running.
fn furnish(ours: &Product) -> Result<()> {
    let user = json!({"username": "bench", "token": TOKEN, "quota_cpu": 1000, "quota_memory": 1000, "quota_clusters": 1_000_000, "quota_instances": 1_000_000});
    ours.call(Method::POST, "/api/v1/users/", &ours.admin_token, Some(&user))?;
    for number in 1..=CLUSTERS {
        let cluster = json!({"name": format!("bench-{number}"), "instance_type": "container", "cpu_per_instance": 1, "memory_per_instance": 1, "instance_count": 3});
        let made = ours.call(Method::POST, "/api/v1/clusters/?wait=30", TOKEN, Some(&cluster))?;
        if made["status"] != "running" {
            bail!("a cluster is {} instead of running", made["status"]);
        }
    }
    Ok(())
}
