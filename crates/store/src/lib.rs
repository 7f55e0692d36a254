//! What is kept in SQL, on SQLite, PostgreSQL and MySQL/MariaDB alike.
//!
//! Kept: users and digests of their credentials, clusters and instances (what their owner wants, and what was last
//! seen of them), quota allocations, leases, an audit trail, answers to idempotent requests.
//! Not kept: used quota (it is the sum of the allocation rows), Kubernetes objects (a member is the truth about
//! itself), credentials in the clear.
//!
//! Two kinds of columns never mix: *intent* is written through [`Tx`] by `app`, *observations* through
//! [`observe`](crate::Store::status_write) by `reconcile`, which must show a lease whose epoch is still current.
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
mod connect;
mod credential;
mod dialect;
mod error;
mod idempotency;
mod instance;
mod intent;
mod lease;
mod migrate;
mod migration;
mod observe;
mod random;
mod sql;
mod tx;
mod usage;
mod user;

pub use audit::{AuditEntry, AuditRow};
pub use cluster::{ClusterIntentRow, ClusterRow, Inserted, NewCluster};
pub use connect::Store;
pub use credential::digest;
pub use idempotency::Remembered;
pub use instance::InstanceRow;
pub use intent::{ClusterIntent, InstanceIntent, InstanceObserved};
pub use lease::Lease;
pub use migrate::SchemaState;
pub use observe::{ClusterObservation, InstanceObservation};
pub use tx::Tx;
pub use usage::Usage;
pub use user::{NewUser, UserChange, UserRow};
