//! Free loopback ports, chosen once for a cluster and kept in its record.

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use std::{
    hash::{BuildHasher, RandomState},
    net::{Ipv4Addr, TcpListener},
};

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Ports {
    pub(crate) etcd_client: u16,
    pub(crate) etcd_peer: u16,
    pub(crate) apiserver: u16,
    pub(crate) controller_manager: u16,
    pub(crate) scheduler: u16,
    pub(crate) kwok: u16,
    pub(crate) virt_api: u16,
    pub(crate) virt_controller: u16,
    pub(crate) node_agent: u16,
}

/// Below the range that the kernel takes outgoing connections' ports from: a port found free here
/// can't become some client's own before its server binds it.
const RANGE: std::ops::Range<u64> = 20_000..32_000;

impl Ports {
    pub(crate) fn free() -> Result<Self> {
        let mut free = Free { held: Vec::new() };
        Ok(Self {
            etcd_client: free.next()?,
            etcd_peer: free.next()?,
            apiserver: free.next()?,
            controller_manager: free.next()?,
            scheduler: free.next()?,
            kwok: free.next()?,
            virt_api: free.next()?,
            virt_controller: free.next()?,
            node_agent: free.next()?,
        })
    }
}

/// Holds what it gave out until all are chosen, so that no two are the same.
struct Free {
    held: Vec<TcpListener>,
}

impl Free {
    fn next(&mut self) -> Result<u16> {
        for _ in 0..1000 {
            let random = RandomState::new().hash_one(self.held.len());
            let port = u16::try_from(RANGE.start + random % (RANGE.end - RANGE.start))?;
            if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
                self.held.push(listener);
                return Ok(port);
            }
        }
        bail!("no free port on 127.0.0.1 between {} and {}", RANGE.start, RANGE.end)
    }
}

#[cfg(test)]
mod tests {
    use super::{Ports, RANGE};
    use std::collections::BTreeSet;

    #[test]
    fn no_two_ports_are_the_same() {
        let ports = serde_json::to_value(Ports::free().unwrap()).unwrap();
        let ports = ports.as_object().unwrap().values();
        let ports: Vec<u64> = ports.map(|port| port.as_u64().unwrap()).collect();
        assert!(ports.iter().all(|port| RANGE.contains(port)));
        assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), ports.len());
    }
}
