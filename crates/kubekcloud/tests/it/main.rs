//! The API's promises, kept by the real binary over HTTP.
//!
//! Each test starts servers of its own on a database of its own. They run against the Kubernetes that
//! `KUBEKCLOUD_TEST_KUBECONFIG` names, else against an embedded sandbox; on the database server that
//! `KUBEKCLOUD_TEST_DATABASE_URL` names, else on SQLite files. Those in `real_node` want the one that
//! `KUBEKCLOUD_TEST_NODE_KUBECONFIG` names.

mod harness;

mod bad_input;
mod bulk;
mod clusters;
mod crash;
mod deletion;
mod dev;
mod documents;
mod identity;
mod kubernetes;
mod member_down;
mod operations;
mod outage;
mod permits;
mod quota;
mod rbac;
mod real_node;
mod replicas;
mod schema;
mod seeds;
mod siege;
mod siege_database;
mod stopping;
