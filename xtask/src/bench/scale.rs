//! `cargo xtask bench scale`: a thousand instances in one cluster until all run, beside the same Pods
//! posted straight to the apiserver into a namespace that is guarded alike.

mod straight;

use super::{
    machine,
    release::{data_dir, release, sub},
    report::{Row, Section, Target, median},
};
use crate::{job::Interrupt, kube::Throwaway, product::Product};
use ::kube::{Client, Config, config::KubeConfigOptions, config::Kubeconfig};
use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde_json::json;
use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};
use straight::Template;

const INSTANCES: usize = 1_000;
const ROUNDS: usize = 3;
const MOST: f64 = 1.5;
const LIMIT: Duration = Duration::from_secs(300);
const POLL: Duration = Duration::from_millis(50);

pub(super) fn run(interrupt: &Interrupt) -> Result<Section> {
    let (machine, load) = (machine::describe()?, machine::load()?);
    println!("load average {load:.2}");
    let binary = release(interrupt)?;
    let data = data_dir()?;
    let cluster = Throwaway::up(false)?;
    let kubeconfig = &cluster.running.kubeconfig;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("start the async runtime")?;
    let client = runtime.block_on(client(kubeconfig))?;
    let ours = Product::serve(&binary, &sub(data.path(), "serve")?, Some(kubeconfig))?;

    let (mut straight, mut through) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let (seconds, template) = through_ours(&ours, &runtime, &client, &format!("scale-{round}"), interrupt)?;
        through.push(seconds);
        interrupt.check()?;
        let running = runtime.block_on(template.run(kubeconfig, &client, &format!("straight-{round}")))?;
        straight.push(running);
        println!("round {round} of {ROUNDS}: straight {running:.1} s, ours {seconds:.1} s");
    }
    let (straight, through) = (median(straight), median(through));
    let what = format!("{INSTANCES} instances of one cluster running, s");
    let (peer, ours) = (format!("{straight:.1}"), format!("{through:.1}"));
    let rows = vec![Row { what, peer, ours, figure: through / straight, unit: "x", target: Target::AtMost(MOST) }];
    let notes = vec![
        format!(
            "Medians of {ROUNDS} rounds that take turns, on etcd, kube-apiserver, controller-manager, scheduler and kwok (`cargo xtask kube up --no-kubevirt`)."
        ),
        "Ours: from sending the POST of the cluster until the API says that it runs; `kubekcloud serve` (release build) on SQLite.".into(),
        format!(
            "Peer: the same Pods posted over {} connections into a namespace with the same labels, ResourceQuota, LimitRange and NetworkPolicies, from the first POST \
             until a watch has seen all of them run.",
            straight::CONNECTIONS
        ),
    ];
    drop(client);
    drop(cluster);
    Ok(Section { title: "Scale", machine, load, rows, notes })
}

/// Seconds until the cluster runs, and what it was made of. The cluster is gone when this returns.
fn through_ours(ours: &Product, runtime: &tokio::runtime::Runtime, client: &Client, name: &str, interrupt: &Interrupt) -> Result<(f64, Template)> {
    let token = &ours.admin_token;
    let body =
        json!({"name": name, "instance_type": "container", "cpu_per_instance": 0.01, "memory_per_instance": 0.0625, "instance_count": INSTANCES});
    let started = Instant::now();
    let made = ours.call(Method::POST, "/api/v1/clusters/", token, Some(&body))?;
    let path = format!("/api/v1/clusters/{}", made["id"]);
    // The list shows the status without a thousand instances.
    wait(interrupt, "the cluster runs", || {
        let clusters = ours.call(Method::GET, "/api/v1/clusters/", token, None)?;
        Ok(clusters.as_array().into_iter().flatten().any(|cluster| cluster["id"] == made["id"] && cluster["status"] == "running"))
    })?;
    let seconds = started.elapsed().as_secs_f64();
    let namespace = made["namespace"].as_str().context("a cluster has a namespace")?;
    let template = runtime.block_on(Template::read(client, namespace))?;
    ours.call(Method::DELETE, &path, token, None)?;
    wait(interrupt, "the cluster is gone", || Ok(ours.call(Method::GET, &path, token, None).is_err()))?;
    Ok((seconds, template))
}

fn wait(interrupt: &Interrupt, what: &str, done: impl Fn() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + LIMIT;
    while !done()? {
        interrupt.check()?;
        if Instant::now() >= deadline {
            bail!("not within {} s: {what}", LIMIT.as_secs());
        }
        thread::sleep(POLL);
    }
    Ok(())
}

async fn client(kubeconfig: &Path) -> Result<Client> {
    let config = Kubeconfig::read_from(kubeconfig).context("read the kubeconfig")?;
    let config = Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await.context("understand the kubeconfig")?;
    Ok(Client::try_from(config)?)
}
