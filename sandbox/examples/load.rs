//! Loads a sandbox and says how long it took: `load KUBECONFIG fill|list|watch`. For `cargo xtask bench sandbox`, which
//! starts the sandbox in a process of its own.

use std::time::{Duration, Instant};

use futures::{AsyncBufReadExt, AsyncReadExt, TryStreamExt, future};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod};
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const PODS: usize = 10_000;
const CONNECTIONS: usize = 16;
const LISTS: usize = 5;
const WATCHES: usize = 1_000;
const CHANGES: usize = 1_000;
const CHANGES_A_SECOND: u32 = 100;
const NAMESPACE: &str = "load";

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, what] = &arguments[..] else { return Err("two arguments: KUBECONFIG fill|list|watch".into()) };
    let config = Config::from_custom_kubeconfig(Kubeconfig::read_from(path)?, &KubeConfigOptions::default()).await?;
    let said = match what.as_str() {
        "fill" => fill(&config).await?,
        "list" => list(&config).await?,
        "watch" => watch(&config).await?,
        _ => return Err("fill, list or watch".into()),
    };
    println!("{said}");
    Ok(())
}

fn from<T: DeserializeOwned>(value: Value) -> Result<T> {
    Ok(serde_json::from_value(value)?)
}

/// Makes the Pods, and waits until all run.
async fn fill(config: &Config) -> Result<Value> {
    let control = Client::try_from(config.clone())?;
    let namespaces: Api<Namespace> = Api::all(control.clone());
    namespaces.create(&PostParams::default(), &from(json!({"metadata": {"name": NAMESPACE}}))?).await?;
    let started = Instant::now();
    let lanes = (0..CONNECTIONS).map(|lane| {
        let client = Client::try_from(config.clone());
        async move {
            let pods: Api<Pod> = Api::namespaced(client?, NAMESPACE);
            for n in (lane..PODS).step_by(CONNECTIONS) {
                let pod = json!({"metadata": {"name": format!("pod-{n:05}"), "labels": {"app": "load"}}, "spec": {"containers": [
                    {"name": "main", "image": "nginx:1", "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}}}]}});
                pods.create(&PostParams::default(), &from(pod)?).await?;
            }
            Result::Ok(())
        }
    });
    future::try_join_all(lanes.map(tokio::spawn)).await?.into_iter().collect::<Result<()>>()?;
    let created = started.elapsed();
    let pods: Api<Pod> = Api::namespaced(control, NAMESPACE);
    while !pods.list(&ListParams::default().fields("status.phase!=Running").limit(1)).await?.items.is_empty() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(json!({"created": created.as_secs_f64(), "running": started.elapsed().as_secs_f64()}))
}

/// Lists all Pods, each time in one answer.
async fn list(config: &Config) -> Result<Value> {
    let client = Client::try_from(config.clone())?;
    let (mut seconds, mut bytes, mut buffer) = (Vec::new(), 0, vec![0; 64 << 10]);
    for _ in 0..LISTS {
        let request = http::Request::get("/api/v1/pods").body(Vec::new())?;
        let started = Instant::now();
        let mut body = Box::pin(client.request_stream(request).await?);
        bytes = 0;
        loop {
            match body.read(&mut buffer).await? {
                0 => break,
                length => bytes += length,
            }
        }
        seconds.push(started.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    Ok(json!({"median": seconds[seconds.len() / 2], "best": seconds[0], "bytes": bytes}))
}

/// Opens the watches, makes the changes, and waits until every watch has seen the last one.
async fn watch(config: &Config) -> Result<Value> {
    let client = Client::try_from(config.clone())?;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), NAMESPACE);
    maps.create(&PostParams::default(), &from(json!({"metadata": {"name": "changing"}, "data": {"n": "0"}}))?).await?;
    let version = maps.list(&ListParams::default()).await?.metadata.resource_version.unwrap_or_default();
    let path = format!("/api/v1/namespaces/{NAMESPACE}/configmaps?watch=true&resourceVersion={version}");
    let mut watching = Vec::new();
    for _ in 0..WATCHES {
        let lines = client.request_stream(http::Request::get(&path).body(Vec::new())?).await?.lines();
        watching.push(tokio::spawn(async move {
            let mut lines = Box::pin(lines);
            let mut seen = 0;
            while seen < CHANGES {
                let Some(line) = lines.try_next().await? else { return Err("a watch ended".into()) };
                seen += usize::from(line.contains("\"MODIFIED\""));
            }
            Result::Ok(Instant::now())
        }));
    }
    let mut beat = tokio::time::interval(Duration::from_secs(1) / CHANGES_A_SECOND);
    let started = Instant::now();
    for n in 1..=CHANGES {
        beat.tick().await;
        maps.patch("changing", &PatchParams::default(), &Patch::Merge(json!({"data": {"n": n.to_string()}}))).await?;
    }
    let changed = Instant::now();
    let ended = tokio::time::timeout(Duration::from_secs(120), future::try_join_all(watching)).await??;
    let last = ended.into_iter().collect::<Result<Vec<_>>>()?.into_iter().max().unwrap_or(changed);
    Ok(json!({"changing": (changed - started).as_secs_f64(), "behind": last.saturating_duration_since(changed).as_secs_f64()}))
}
