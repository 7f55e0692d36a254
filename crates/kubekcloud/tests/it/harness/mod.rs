//! Servers, databases, a Kubernetes, and clients for them.

mod client;
mod database;
mod kubernetes;
mod proxy;
mod server;

use std::{future::Future, time::Duration};

pub(crate) use client::{Answer, Client, instance_ids};
pub(crate) use database::{LeaseRow, TestDatabase};
pub(crate) use kubernetes::{Kubernetes, is_real};
pub(crate) use proxy::{Outage, Proxy};
pub(crate) use server::{Server, ServerOptions, binary};

/// Waits for a condition with a deadline. `what` is said when it does not come true.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, seconds: u64, mut check: impl FnMut() -> F) -> T {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(value) = check().await {
            return value;
        }
        assert!(tokio::time::Instant::now() < deadline, "not within {seconds} s: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A word that no other test uses.
pub(crate) fn unique(prefix: &str) -> String {
    format!("{prefix}-{:08x}", rand::random::<u32>())
}

/// Says that a test could not test, and why, past the test harness, which keeps to itself what a passing test prints.
/// `cargo xtask test` counts these lines.
pub(crate) fn skip(why: &str) {
    // On a line of its own, whatever the harness has begun to write; in one piece, because others write meanwhile.
    let line = format!("\nskipped: {why}\n");
    let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
}

/// Looks at a condition for a while and demands that it holds all the time: what comes late is seen.
pub(crate) async fn stays<F: Future<Output = bool>>(what: &str, seconds: u64, mut check: impl FnMut() -> F) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(seconds);
    while tokio::time::Instant::now() < deadline {
        assert!(check().await, "no longer true: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
