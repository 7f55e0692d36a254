//! `cargo xtask bench scale`: many clusters on the sandbox and on a real API server. What they cost at rest, and how long one
//! more takes then, in a resync and in a takeover; and a thousand instances in one cluster beside the same POSTs sent straight.

mod beside;
mod fill;
mod probe;
mod proxy;
mod shape;
mod statements;
mod straight;

use super::{
    machine,
    release::{data_dir, release, sub},
    report::Section,
};
use crate::{job::Interrupt, kube::Throwaway, product::Product};
use ::kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use anyhow::{Context, Result};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::runtime::Runtime;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Try it: this part of every size, at most a few seconds of idling, and nothing kept
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    divided_by: u32,
    /// Leave the other Kubernetes out, and keep nothing
    #[arg(long)]
    only: Option<On>,
    /// Measure this binary in place of a release build, and keep nothing
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum On {
    Sandbox,
    /// The real control plane, with kwok's nodes
    Kwok,
}

/// How many clusters, and of how many instances each.
struct Shape {
    clusters: usize,
    instances: usize,
}

const ON_SANDBOX: [Shape; 2] = [Shape { clusters: 10_000, instances: 1 }, Shape { clusters: 100, instances: 100 }];
const ON_KWOK: Shape = Shape { clusters: 20, instances: 100 };
/// Longer than a watch lasts.
const IDLE: Duration = Duration::from_secs(300);

impl Shape {
    fn called(&self, on: &str) -> String {
        format!("{} x {} on {on}", self.clusters, self.instances)
    }

    fn divided_by(&self, n: u32) -> Self {
        let n = n as usize;
        // First fewer clusters, then smaller ones.
        let clusters = (self.clusters / n).max(self.clusters.min(5));
        Self { clusters, instances: (self.instances / (n * clusters / self.clusters).max(1)).max(1) }
    }
}

/// What all of it needs.
struct Bench<'a> {
    binary: PathBuf,
    data: &'a Path,
    runtime: Runtime,
    interrupt: &'a Interrupt,
    /// How long is counted at rest.
    idle: Duration,
}

impl Args {
    /// Whether what comes out is what docs/benchmarks.md speaks of.
    pub(super) fn whole(&self) -> bool {
        self.divided_by == 1 && self.only.is_none() && self.binary.is_none()
    }
}

pub(super) fn run(args: &Args, interrupt: &Interrupt) -> Result<Section> {
    let (machine, load) = (machine::describe()?, machine::load()?);
    println!("load average {load:.2}");
    let binary = args.binary.clone().map_or_else(|| release(interrupt), Ok)?;
    let data = data_dir()?;
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("start the async runtime")?;
    let idle = if args.divided_by == 1 { IDLE } else { IDLE / args.divided_by.min(30) };
    let bench = Bench { binary, data: data.path(), runtime, interrupt, idle };
    let postgres = statements::server()?;
    let mut rows = Vec::new();
    if args.only != Some(On::Kwok) {
        for shape in ON_SANDBOX {
            let shape = shape.divided_by(args.divided_by);
            let sandbox = Product::dev(&bench.binary, &sub(bench.data, &format!("dev-{}", shape.clusters))?)?;
            let kubeconfig = sandbox.kubeconfig.as_deref().context("dev has a Kubernetes")?;
            rows.extend(shape::rows(&bench, &postgres, &shape, "the sandbox", kubeconfig)?);
        }
    }
    if args.only != Some(On::Sandbox) {
        let cluster = Throwaway::up(false)?;
        let kubeconfig = &cluster.running.kubeconfig;
        rows.push(beside::row(&bench, kubeconfig, args.divided_by)?);
        rows.extend(shape::rows(&bench, &postgres, &ON_KWOK.divided_by(args.divided_by), "kwok", kubeconfig)?);
    }
    Ok(Section { title: "Scale", machine, load, rows, notes: notes(bench.idle) })
}

fn notes(idle: Duration) -> Vec<String> {
    let mut notes = vec![
        "`kubekcloud serve` (release build) on a PostgreSQL whose disk is not waited for (`fsync=off`); the sandbox is that of a `kubekcloud dev` \
         process; kwok: etcd, kube-apiserver, controller-manager, scheduler and kwok (`cargo xtask kube up --no-kubevirt`). Between `serve` and either \
         stands a proxy that counts requests."
            .into(),
        "Another create: a cluster of one instance of a user of its own, from sending the POST until the answer that it runs; one after the other. \
         At rest each is gone before the next. While every watch lists anew: right before each all watches, eleven seconds old, are told that \
         their version is too old. In the takeover: the other replica was killed, and these are the first that the new one is sent; it goes \
         through all clusters meanwhile."
            .into(),
        format!(
            "Idle: one replica, all running, nobody asks, {} s extrapolated. Statements: all that PostgreSQL was given, `BEGIN` and `COMMIT` too \
             (`pg_stat_statements`). What SQLite commits stands under API.",
            idle.as_secs()
        ),
        "Memory: resident set of `serve` at rest, after the fill. Page: of the list of all clusters, as many as a page has by default.".into(),
    ];
    notes.extend(beside::notes());
    notes
}

async fn client(kubeconfig: &Path) -> Result<Client> {
    let config = Kubeconfig::read_from(kubeconfig).context("read the kubeconfig")?;
    let config = Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await.context("understand the kubeconfig")?;
    Ok(Client::try_from(config)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_is_smaller_but_of_the_same_kind() {
        let of = |shape: &Shape, n| (shape.divided_by(n).clusters, shape.divided_by(n).instances);
        assert_eq!((of(&ON_SANDBOX[0], 1), of(&ON_SANDBOX[1], 1), of(&ON_KWOK, 1)), ((10_000, 1), (100, 100), (20, 100)));
        assert_eq!((of(&ON_SANDBOX[0], 100), of(&ON_SANDBOX[1], 100)), ((100, 1), (5, 20)));
    }
}
