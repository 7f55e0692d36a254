//! The words of KubeKCloud as types: identifiers, names, quantities, phases and the one error.
//!
//! Everything here is pure. No I/O, no database, no HTTP and no Kubernetes client: those crates depend on
//! this one, never the other way round.
#![warn(missing_docs)]

pub mod error;
pub mod failpoint;
pub mod id;
pub mod labels;
pub mod name;
pub mod phase;
pub mod quantity;
pub mod secret;
pub mod subject;
pub mod text;
pub mod time;

pub use error::{Error, FieldError, Result};
pub use failpoint::Step;
pub use id::{ClusterId, InstanceId, MemberId, UserId, VirtualClusterId};
pub use name::{ClusterName, Username};
pub use phase::{ClusterStatus, Desired, InstanceStatus, InstanceType, Operation, Role, Suspension, Transition};
pub use quantity::{Amount, Bytes, Decimal, MilliCpu};
pub use secret::Secret;
pub use subject::Subject;
pub use time::Timestamp;
