//! What is kept in SQL, on SQLite, PostgreSQL and MySQL/MariaDB alike.
//!
//! Kept: users and digests of their credentials, clusters and instances (what their owner wants, and what was last
//! seen of them), quota allocations, leases, an audit trail, answers to idempotent requests.
//! Not kept: used quota (it is the sum of the allocation rows), Kubernetes objects (a member is the truth about
//! itself), credentials in the clear.
//!
//! Two kinds of columns never mix: *intent* is written through [`Tx`] by `app`, *observations* through
//! [`status`](crate::Store::status_write) by `reconcile`, which must show a lease whose epoch is still current.
//! Nothing here talks to Kubernetes, so no transaction can wait for it.
#![warn(missing_docs)]

mod audit;
mod cluster;
mod connect;
mod credential;
mod entity;
mod error;
mod idempotency;
mod instance;
mod intent;
mod lease;
mod migrate;
mod migration;
mod status;
mod tx;
mod usage;
mod user;

pub use audit::{AuditEntry, AuditRow};
pub use cluster::{ClusterIntentRow, ClusterRow, Inserted, NewCluster};
pub use connect::Store;
pub use credential::digest;
pub use idempotency::Remembered;
pub use instance::InstanceRow;
pub use intent::{ClusterIntent, ClusterObservation, InstanceIntent, InstanceObservation, InstanceObserved};
pub use lease::Lease;
pub use migrate::SchemaState;
pub use tx::Tx;
pub use usage::Usage;
pub use user::{NewUser, UserChange, UserRow};
