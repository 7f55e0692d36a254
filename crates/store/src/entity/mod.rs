//! The tables that are read and written as whole rows. The others (credentials, allocations, leases, idempotency)
//! have their few statements in the file of their noun. Columns marked *observed* are written by reconciling only.
#![expect(unreachable_pub, reason = "the derive macros generate public items")]

pub mod audit;
pub mod cluster;
pub mod installation;
pub mod instance;
pub mod user;
