//! A thousand instances in one cluster until all run, beside the same Pods posted straight to the apiserver into a namespace
//! that is guarded alike.

use super::{
    Bench, client,
    straight::{self, LIMIT, POLL, Template},
};
use crate::{
    bench::{
        release::sub,
        report::{Row, Target, median},
    },
    job::Interrupt,
    product::Product,
};
use ::kube::Client;
use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde_json::json;
use std::{path::Path, thread, time::Instant};

const INSTANCES: usize = 1_000;
const ROUNDS: usize = 3;
const MOST: f64 = 1.5;

pub(super) fn row(bench: &Bench<'_>, kubeconfig: &Path, divided_by: u32) -> Result<Row> {
    let Bench { binary, data, runtime, interrupt, .. } = bench;
    let instances = (INSTANCES / divided_by as usize).max(5);
    let client = runtime.block_on(client(kubeconfig))?;
    let ours = Product::serve(binary, &sub(data, "beside")?, Some(kubeconfig))?;
    let (mut straight, mut through) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let (seconds, template) = through_ours(&ours, runtime, &client, &format!("scale-{round}"), instances, interrupt)?;
        through.push(seconds);
        interrupt.check()?;
        let running = runtime.block_on(template.run(kubeconfig, &client, &format!("straight-{round}")))?;
        straight.push(running);
        println!("round {round} of {ROUNDS}: straight {running:.1} s, ours {seconds:.1} s");
    }
    let (straight, through) = (median(straight), median(through));
    let what = format!("{instances} instances of one cluster running, s");
    let (peer, ours) = (format!("{straight:.1}"), format!("{through:.1}"));
    Ok(Row { what, peer, ours, figure: through / straight, unit: "x", target: Target::AtMost(MOST) })
}

pub(super) fn notes() -> [String; 2] {
    [
        format!(
            "One cluster, on kwok: medians of {ROUNDS} rounds that take turns. Ours: from sending the POST of the cluster until the API says that it runs; on SQLite."
        ),
        format!(
            "Its peer: the same Pods posted over {} connections into a namespace with the same labels, ResourceQuota, LimitRange and NetworkPolicies, from the first POST \
             until a watch has seen all of them run.",
            straight::CONNECTIONS
        ),
    ]
}

/// Seconds until the cluster runs, and what it was made of. The cluster is gone when this returns.
fn through_ours(
    ours: &Product,
    runtime: &tokio::runtime::Runtime,
    client: &Client,
    name: &str,
    instances: usize,
    interrupt: &Interrupt,
) -> Result<(f64, Template)> {
    let token = &ours.admin_token;
    let body =
        json!({"name": name, "instance_type": "container", "cpu_per_instance": 0.01, "memory_per_instance": 0.0625, "instance_count": instances});
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
