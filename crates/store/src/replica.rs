//! Processes that share one database, and which of them are alive.
//!
//! A replica renews one row. Once that has run out, any other deletes it: the replica is declared dead, and what it held is
//! free. Its id never comes back, so there is no moment at which two may believe that they hold the same lease: the
//! dead one's next heartbeat finds no row. Time is the database's, so that replicas with different clocks agree.

use std::collections::HashMap;

use crate::{LeaseName, random::random_word};

/// This process, as others see it. It has another one after it was declared dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    id: String,
}

impl Replica {
    pub(crate) fn new() -> Self {
        Self { id: random_word(20) }
    }

    /// Its id, used once.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// Who is alive, and who holds what.
#[derive(Debug, Clone, Default)]
pub struct Holders {
    /// Ids of living replicas.
    pub replicas: Vec<String>,
    /// Holders of the leases, the dead and nobody (an empty id) among them.
    pub leases: HashMap<LeaseName, String>,
}

impl Holders {
    /// Whether a lease can be claimed.
    pub fn is_free(&self, name: LeaseName) -> bool {
        self.leases.get(&name).is_none_or(|holder| !self.replicas.contains(holder))
    }

    /// Which leases a replica has.
    pub fn of<'a>(&'a self, replica: &'a Replica) -> impl Iterator<Item = LeaseName> + 'a {
        self.leases.iter().filter(|(_, holder)| **holder == replica.id).map(|(name, _)| *name)
    }
}
