//! What a kubelet is: the containers of Pods ([`container`], [`order`], [`outcome`]), what is inside them ([`runtime`]), and
//! what it answers about them: `exec` and `attach` ([`exec`]), logs ([`logs`]), metrics ([`usage`]).
//!
//! It is asked through [`kubelet`] and tells on its own only that a process has ended ([`host`]). It writes nothing: how
//! a Pod's status follows from all this is the simulator's part.

mod channels;
pub(crate) mod container;
mod exec;
pub(crate) mod host;
mod kubelet;
mod logs;
pub(crate) mod order;
pub(crate) mod outcome;
pub(crate) mod runtime;
mod usage;
