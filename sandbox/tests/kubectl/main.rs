//! A tour of kubectl, by theme: the sandbox must answer as the real API server does.
//!
//! `KUBECTL_PATH` names the kubectl (1.30 or newer); without it the tests skip themselves, aloud. They run on a sandbox of their
//! own each, or on the cluster that `KUBEKCLOUD_TEST_KUBECONFIG` names: the same commands, the same expectations. What
//! differs says so with [`tour::Tour::real`]. What needs containers goes to the cluster of
//! `KUBEKCLOUD_TEST_NODE_KUBECONFIG`, where one is named.

mod access;
mod apply;
mod change;
mod containers;
mod create;
mod delete;
mod describe;
mod discovery;
mod events;
mod get;
mod nodes;
mod reach;
mod refusals;
mod rollout;
mod simulated;
#[path = "../support/skip.rs"]
mod skip;
mod tour;
mod wait;
mod workloads;
