//! Who reconciles what: leases by name, each with an epoch that fences every write made under it.
//!
//! A lease's row is written by a takeover and by nothing else, so that whoever fences on it never waits for a renewal. What
//! is renewed is one row of its holder, for all leases together. A lease is free when its holder has no such row.

use std::fmt;

use sea_orm::Value;
use types::MemberId;

/// What a lease is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeaseName {
    /// Reconciling a member.
    Member(MemberId),
    /// Giving out sequence numbers to events, and passing them on.
    Outbox,
    /// Ending what has a lifetime, and forgetting what is old.
    Expiry,
}

impl fmt::Display for LeaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(id) => write!(f, "member/{id}"),
            Self::Outbox => f.write_str("outbox"),
            Self::Expiry => f.write_str("expiry"),
        }
    }
}

impl LeaseName {
    /// The lease of a stored name; `None` for one that a later version uses.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "outbox" => Some(Self::Outbox),
            "expiry" => Some(Self::Expiry),
            member => Some(Self::Member(MemberId(member.strip_prefix("member/")?.parse().ok()?))),
        }
    }
}

/// A lease that was held when it was last looked at.
#[derive(Debug, Clone)]
pub struct Lease {
    /// What it is for.
    pub name: LeaseName,
    /// Grows with each change of holder.
    pub epoch: i64,
    holder: String,
}

impl Lease {
    pub(crate) fn new(name: LeaseName, epoch: i64, holder: &str) -> Self {
        Self { name, epoch, holder: holder.to_owned() }
    }

    /// Values for `name = ? AND epoch = ? AND holder = ?`.
    pub(crate) fn key(&self) -> [Value; 3] {
        [self.name.to_string().into(), self.epoch.into(), self.holder.as_str().into()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_found_by_its_name() {
        for name in [LeaseName::Member(MemberId(0)), LeaseName::Member(MemberId(12)), LeaseName::Outbox, LeaseName::Expiry] {
            assert_eq!(LeaseName::parse(&name.to_string()), Some(name));
        }
        assert_eq!(LeaseName::parse("member/x"), None);
    }
}
