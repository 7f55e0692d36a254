//! The business rules, one test a promise: the use cases against a fresh SQLite store, without HTTP and without
//! Kubernetes. What reconciling would have seen is written by the tests through the store, as `reconcile` does it.
//! That HTTP and real members keep the same rules is shown by `crates/kubekcloud/tests/it`.

mod audit;
mod bulk;
mod clusters;
mod concurrency;
mod operations;
mod placement;
mod quota;
mod repeats;
mod tenancy;
mod tokens;
mod users;
mod waiting;
mod wakes;
mod world;
