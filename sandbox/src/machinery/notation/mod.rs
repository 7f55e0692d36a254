//! How Kubernetes writes things: values at paths, times, schedules, quantities, names, causes of refusals, hashes, and what Go prints.

pub(crate) mod cause;
pub(crate) mod clock;
pub(crate) mod fnv;
pub(crate) mod go;
pub(crate) mod name;
pub(crate) mod quantity;
pub(crate) mod schedule;
pub(crate) mod value;
