//! The node's network: loopback, and a bridge without members that carries its address. There is no
//! way out, and no default route.

use anyhow::{Context, Result};
use std::{fs, process::Command};

/// The node's own address.
pub(super) const NODE: &str = "10.240.0.1";
pub(super) const PODS: &str = "10.244.0.0/24";
pub(super) const SERVICES: &str = "10.96.0.0/16";
/// The apiserver's own Service.
pub(super) const FIRST_SERVICE: &str = "10.96.0.1";
pub(super) const DNS_SERVICE: &str = "10.96.0.10";

pub(super) fn prepare() -> Result<()> {
    let node = format!("{NODE}/24");
    for words in [
        &["link", "set", "lo", "up"][..],
        &["link", "add", "node0", "type", "bridge"],
        &["address", "add", &node, "dev", "node0"],
        &["link", "set", "node0", "up"],
        // Without a route the node's own processes could not even begin to dial a Service.
        &["route", "add", SERVICES, "dev", "node0"],
    ] {
        crate::job::output(Command::new("ip").args(words))?;
    }
    fs::write("/proc/sys/net/ipv4/ip_forward", "1").context("forward between Pods")?;
    // A Pod that reaches itself or its neighbour through a Service. Kernels without the module do without.
    let _without = fs::write("/proc/sys/net/bridge/bridge-nf-call-iptables", "1");
    Ok(())
}
