//! Many clusters of many tenants, made at once.

use super::Shape;
use crate::{bench::caller::Caller, job::Interrupt};
use anyhow::{Result, bail};
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Creates at a time.
const CONNECTIONS: usize = 16;
/// What a user may have who was given no other quota.
const CLUSTERS_A_USER: usize = 100;
const INSTANCES_A_USER: usize = 1_000;
/// How long an instance may take; together they have so long.
const LIMIT_EACH: Duration = Duration::from_millis(100);
const LIMIT_FIRST: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(200);

pub(super) struct Filled {
    /// Until the last create was answered.
    pub(super) created: f64,
    /// Until all ran.
    pub(super) running: f64,
}

/// Of one container, as small as it may be.
pub(super) fn body(name: &str, instances: usize) -> Value {
    json!({"name": name, "instance_type": "container", "cpu_per_instance": 0.01, "memory_per_instance": 0.015625, "instance_count": instances})
}

/// A new user.
pub(super) async fn user(admin: &Caller, name: &str) -> Result<Caller> {
    let token = format!("token-of-the-benchmark-{name}");
    let user = json!({"username": name, "token": token, "quota_cpu": 100_000, "quota_memory": 100_000, "quota_clusters": 1_000_000, "quota_instances": 1_000_000});
    admin.ask(Method::POST, "/api/v1/users/", Some(&user)).await?;
    Ok(admin.with_token(&token))
}

/// All of a shape; all run when this returns.
pub(super) async fn fill(admin: &Caller, shape: &Shape, interrupt: &Interrupt) -> Result<Filled> {
    let each = CLUSTERS_A_USER.min(INSTANCES_A_USER / shape.instances).max(1);
    let mut tenants = Vec::new();
    for n in 0..shape.clusters.div_ceil(each) {
        tenants.push(user(admin, &format!("tenant-{n}")).await?);
    }
    let started = Instant::now();
    let creates = (0..shape.clusters).map(|n| {
        // Neighbours in the list are of different tenants.
        let (tenant, body) = (tenants[n % tenants.len()].clone(), body(&format!("c-{n}"), shape.instances));
        async move {
            interrupt.check()?;
            tenant.ask(Method::POST, "/api/v1/clusters/", Some(&body)).await
        }
    });
    stream::iter(creates).buffer_unordered(CONNECTIONS).try_for_each(async |_| Ok(())).await?;
    let created = started.elapsed().as_secs_f64();
    let limit = LIMIT_FIRST + LIMIT_EACH * u32::try_from(shape.clusters * shape.instances)?;
    let mut page = Some("/api/v1/clusters/".to_owned());
    while let Some(path) = page {
        interrupt.check()?;
        let answer = admin.get(&path).await?;
        let waiting = answer.body.as_array().into_iter().flatten().find(|cluster| cluster["status"] != "running");
        // A page whose clusters all run is not looked at again.
        page = if waiting.is_some() { Some(path) } else { answer.next };
        if let Some(waiting) = waiting {
            if started.elapsed() > limit {
                bail!("not all clusters run within {} s: {waiting}", limit.as_secs());
            }
            tokio::time::sleep(POLL).await;
        }
    }
    Ok(Filled { created, running: started.elapsed().as_secs_f64() })
}
