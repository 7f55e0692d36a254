//! wrk: requests per second, all of them answered well.

use crate::{
    debian::{self, Installed},
    host::which,
    job::output,
};
use anyhow::{Context, Result, bail};
use std::{path::Path, process::Command};

/// Connections kept busy.
pub(super) const CONNECTIONS: u32 = 16;

pub(super) fn install() -> Result<()> {
    match debian::ensure(&["wrk"], || which("wrk").is_some())? {
        Installed::Yes => Ok(()),
        Installed::Not(how) => bail!("wrk is {how}"),
    }
}

/// Requests per second over `seconds`.
pub(super) fn run(url: &str, token: &str, seconds: u32, script: Option<&Path>) -> Result<f64> {
    let mut wrk = Command::new("wrk");
    wrk.args(["--threads", "1", "--connections", &CONNECTIONS.to_string(), "--duration", &format!("{seconds}s"), "--timeout", "10s"]);
    wrk.args(["--header", &format!("Authorization: Bearer {token}"), "--header", "Content-Type: application/json"]);
    if let Some(script) = script {
        wrk.arg("--script").arg(script);
    }
    let printed = output(wrk.arg(url))?.stdout;
    rate(&String::from_utf8_lossy(&printed)).with_context(|| format!("measure {url}"))
}

fn rate(printed: &str) -> Result<f64> {
    let after = |label: &str| printed.lines().find_map(|line| line.trim().strip_prefix(label).map(str::trim));
    if let Some(wrong) = after("Non-2xx or 3xx responses:").or_else(|| after("Socket errors:")) {
        bail!("not every request was answered well ({wrong}):\n{printed}");
    }
    after("Requests/sec:").and_then(|rate| rate.parse().ok()).with_context(|| format!("wrk said no rate:\n{printed}"))
}

#[cfg(test)]
mod tests {
    use super::rate;

    #[test]
    fn a_rate_counts_only_when_all_was_answered_well() {
        let printed = "  1000 requests in 1.00s, 1.0MB read\nRequests/sec:   1234.56\nTransfer/sec:  1MB\n";
        assert_eq!(rate(printed).unwrap(), 1234.56);
        assert!(rate(&format!("  Non-2xx or 3xx responses: 3\n{printed}")).is_err());
        assert!(rate("nothing").is_err());
    }
}
