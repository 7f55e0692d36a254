//! What is kept in SQL, on SQLite, PostgreSQL and MySQL/MariaDB alike.
//!
//! Kept: users and digests of their credentials, clusters and instances (what their owner wants, and what was last
//! seen of them), quota allocations, what is due, leases, an audit trail, events, answers to idempotent requests.
//! Not kept: used quota (it is the sum of the allocation rows), Kubernetes objects (a member is the truth about
//! itself), credentials in the clear.
//!
//! [`open`] gives four handles, each with its own connections and its own half of the truth:
//! - [`Intents`], for `app`: what tenants want is read and written through it, each change in one [`Tx`];
//! - [`Observations`], for `reconcile`: what is seen is written through it, each write showing a [`Lease`] that is still
//!   current and touching rows of that lease's member only. Neither handle has a method for the other's columns;
//! - [`Leases`]: who reconciles what;
//! - [`Schema`]: the tables themselves.
//!
//! Nothing here talks to Kubernetes, so no transaction can wait for it.
//!
//! **One way to write SQL**: every statement is a text with `?` for its values, run by `sql`, and every row is a struct that
//! reads its columns in one place (`FromQueryResult`). There are no entities and no query builder: most statements lock,
//! compare or count, which an entity cannot say; so each is read here as the database runs it, whoever searches for a
//! column finds all its uses, and the few words in which the databases differ have names in `dialect`. What a table holds
//! stands in `migration`, nowhere else. Of SeaORM we use connections, transactions, binding of values, and migrations,
//! whose steps build tables, because types differ more than statements do.
#![warn(missing_docs)]

mod audit;
mod cluster;
mod credential;
mod dialect;
mod error;
mod event;
mod fact;
mod idempotency;
mod instance;
mod intent;
mod intents;
mod lease;
mod leases;
mod location;
mod member;
mod migrate;
mod migration;
mod observations;
mod observe;
mod orphan;
mod pool;
mod random;
mod replica;
mod sql;
mod tx;
mod usage;
mod user;
mod work;

use types::Result;

pub use audit::AuditRow;
pub use cluster::{ClusterIntentRow, ClusterRow, Inserted, NewCluster, Whose};
pub use credential::{TokenDigest, TokenKey};
pub use fact::{By, Fact};
pub use idempotency::Remembered;
pub use instance::{InstanceRow, Unsettled};
pub use intent::{ClusterIntent, InstanceIntent, InstanceObserved};
pub use intents::Intents;
pub use lease::{Lease, LeaseName};
pub use leases::Leases;
pub use member::{MemberRow, Reach};
pub use migrate::{Schema, SchemaState};
pub use observations::Observations;
pub use observe::{ClusterObservation, InstanceObservation};
pub use orphan::OrphanRow;
pub use replica::{Holders, Replica};
pub use tx::{Done, Running, Tx, Woken};
pub use usage::Usage;
pub use user::{NewUser, UserChange, UserRow};

/// Connections to a server for requests, for reconciling, and for leases; the last are never waited for by anything else.
const REQUESTS: u32 = 16;
const RECONCILING: u32 = 8;
const LEASES: u32 = 2;

/// An open database, by what may be done with it.
#[derive(Debug, Clone)]
pub struct Opened {
    /// For the use cases.
    pub intents: Intents,
    /// For reconciling.
    pub observations: Observations,
    /// For whoever reconciles.
    pub leases: Leases,
    /// For whoever starts.
    pub schema: Schema,
}

/// Opens the database, without looking at its schema. Accepts SQLAlchemy's URL forms, for example
/// `sqlite:///./cmp.db`, `postgresql://user:password@host/name`, `mysql+pymysql://user:password@host/name`.
pub async fn open(url: &str) -> Result<Opened> {
    let location = location::Location::parse(url)?;
    let requests = Box::pin(pool::open(&location, REQUESTS)).await?;
    let (reconciling, leases) = match location {
        location::Location::Sqlite(_) => (requests.behind(), requests.clone()),
        location::Location::Server(_) => (Box::pin(pool::open(&location, RECONCILING)).await?, Box::pin(pool::open(&location, LEASES)).await?),
    };
    Ok(Opened {
        schema: Schema::new(requests.clone(), location),
        intents: Intents::new(requests),
        observations: Observations::new(reconciling),
        leases: Leases::new(leases),
    })
}
