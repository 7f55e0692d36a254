//! How long one more instance takes until it runs.

use super::fill;
use crate::{
    bench::{
        caller::Caller,
        report::{median, percentile},
    },
    job::Interrupt,
};
use anyhow::{Result, bail};
use reqwest::Method;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(180);
const POLL: Duration = Duration::from_millis(20);

/// A user who creates clusters of one instance, one after the other.
pub(super) struct Probe {
    caller: Caller,
    made: usize,
}

pub(super) struct Taken(Vec<f64>);

impl Taken {
    pub(super) fn p50(&self) -> f64 {
        median(self.0.clone())
    }

    pub(super) fn said(&self) -> String {
        format!("{:.0} ms (p95 {:.0}, n = {})", self.p50() * 1e3, percentile(self.0.clone(), 95) * 1e3, self.0.len())
    }
}

impl Probe {
    pub(super) async fn new(admin: &Caller) -> Result<Self> {
        Ok(Self { caller: fill::user(admin, "probe").await?, made: 0 })
    }

    /// From now on at another server.
    pub(super) fn turn_to(&mut self, url: &str) {
        self.caller = self.caller.at(url);
    }

    /// Seconds from the POST until the answer that it runs. The cluster is being deleted when this returns.
    pub(super) async fn create(&mut self) -> Result<(f64, String)> {
        self.made += 1;
        let started = Instant::now();
        let body = fill::body(&format!("probe-{}", self.made), 1);
        let mut cluster = self.caller.ask(Method::POST, "/api/v1/clusters/?wait=60", Some(&body)).await?.body;
        let path = format!("/api/v1/clusters/{}", cluster["id"]);
        while cluster["status"] != "running" {
            if started.elapsed() > LIMIT {
                bail!("a cluster does not run: {cluster}");
            }
            tokio::time::sleep(POLL).await;
            cluster = self.caller.get(&path).await?.body;
        }
        let seconds = started.elapsed().as_secs_f64();
        self.caller.ask(Method::DELETE, &path, None).await?;
        Ok((seconds, path))
    }

    /// So many, `before` being done before each. Calm ones wait until the last one is gone.
    pub(super) async fn creates(&mut self, count: usize, calm: bool, interrupt: &Interrupt, before: impl AsyncFn()) -> Result<Taken> {
        let mut taken = Vec::new();
        for _ in 0..count {
            interrupt.check()?;
            before().await;
            let (seconds, path) = self.create().await?;
            taken.push(seconds);
            let deadline = Instant::now() + LIMIT;
            while calm && self.caller.get(&path).await.is_ok() {
                if Instant::now() >= deadline {
                    bail!("a cluster does not go: {path}");
                }
                tokio::time::sleep(POLL).await;
            }
        }
        Ok(Taken(taken))
    }
}
