//! The sandbox as its clients meet it: one that each test starts, asked by kube-rs over HTTP, and by a real kubectl where
//! `KUBECTL_PATH` names one.
//!
//! One program for all of them, because each would link the whole tree anew. Of their own are only those that `cargo xtask
//! test` also runs on a real Kubernetes (`conformance`, `kubectl`, `kube_rs`), and `property`.

mod api;
mod exec;
mod logs;
mod replay;
mod restart;
mod simulate;
#[path = "../support/mod.rs"]
mod support;
mod top;
mod virtual_machines;
mod watch;
mod workloads;
