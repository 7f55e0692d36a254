//! Reaching member clusters: clients, watch caches, the write helpers, KubeVirt types.
//!
//! Reads have a deadline and hang off [`Member`]. Writes hang off [`Writer`] alone: each takes a [`types::Step`], so
//! that a test can kill the process around it, and a [`Fence`], so that a replica whose lease ran out stops writing
//! by its own clock. Nothing here knows the store, decides what should exist, or retries: that is `reconcile`.
#![warn(missing_docs)]

mod breaker;
mod cache;
mod call;
mod error;
mod fence;
mod fleet;
mod kind;
mod kubevirt;
mod lines;
mod list;
mod member;
mod reach;
mod read;
mod slim;
mod snapshot;
mod text;
mod view;
mod watch;
mod write;

#[cfg(test)]
mod call_tests;
#[cfg(test)]
mod fake;

pub use cache::{Cache, Known, KubeVirt};
pub use error::{ApiFailure, MemberError, Result};
pub use fence::Fence;
pub use fleet::Fleet;
pub use kind::Kind;
pub use member::{Identity, Member, REQUEST_DEADLINE};
pub use read::{EventView, LogQuery};
pub use snapshot::{ResourceType, Snapshot, SnapshotLimits};
pub use view::{Condition, GuardrailView, NamespaceView, PodPhase, PodView, VmView, VmiView};
pub use watch::{Watch, Watches};
pub use write::{Applied, Creation, Deletion, Pausing, Writer};
