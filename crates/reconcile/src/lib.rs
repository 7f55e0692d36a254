//! Makes members match the store.
//!
//! One loop per member: take its lease, watch it, and for every cluster that may be out of step make a *pass*:
//! read intent (SQL) and what is there (watch caches), build objects (pure), write the difference, write status.
//! A pass is level-triggered: it looks only at how things are, never at what happened, so it can be repeated, cut
//! short by a crash anywhere, and started by a mere hint. That is why [`Wake`] carries no data: losing it costs time.
//!
//! This crate depends on neither `kube` nor `sea-orm`. Every write goes through helpers that take a [`types::Step`]
//! and run between its failpoints; another way to write does not compile.
//! It decides nothing that a tenant can see as a rule: those live in `app`.
#![warn(missing_docs)]

mod backoff;
mod compute;
mod error;
mod fair_share;
mod fences;
mod health;
mod housekeeping;
mod keep_running;
mod lease_holder;
mod options;
mod parked;
mod passes;
mod poll;
mod queue;
mod reach;
mod renewal;
mod requeue;
mod signal;
mod supervisor;
mod tenures;
mod walk;
mod workers;

pub use health::{Health, HealthSnapshot};
pub use options::Options;
pub use signal::{Changes, Wake};
pub use supervisor::{Connect, Supervisor};
