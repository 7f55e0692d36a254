//! When a cluster is to be reconciled again, and how a pass over it ended.
//!
//! Whatever finds a reason to look again says so as a [`Requeue`], and [`Requeue::soonest`] is the only way to merge two.
//! How long a failure waits is no business of the pass: the queue backs off.

use std::time::Duration;

/// When a pass asks for the next one. Whatever the watches tell brings it forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Requeue(Option<Duration>);

impl Requeue {
    /// Only when something changes.
    pub(crate) const ON_CHANGE: Self = Self(None);
    /// As soon as the queue's pause between two passes is over.
    pub(crate) const AT_ONCE: Self = Self::after(Duration::ZERO);

    /// After that time at the latest.
    pub(crate) const fn after(wait: Duration) -> Self {
        Self(Some(wait))
    }

    /// The earlier of two.
    pub(crate) fn soonest(self, other: Self) -> Self {
        Self([self.0, other.0].into_iter().flatten().min())
    }

    /// How long to wait; `None` for a change.
    pub(crate) const fn wait(self) -> Option<Duration> {
        self.0
    }
}

/// How a pass ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It did what can be done now.
    Reconciled(Requeue),
    /// It failed: wait, longer each time, but at least as long as the other side asked for.
    Failed {
        /// What the other side asked for.
        at_least: Option<Duration>,
    },
    /// It came before the namespace was ready: wait, but never long.
    NotReady,
    /// There is no such cluster any more.
    Gone,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soonest_of_two_is_the_earlier_and_a_change_is_later_than_any() {
        let (soon, late) = (Requeue::after(Duration::from_secs(1)), Requeue::after(Duration::from_secs(2)));
        assert_eq!(soon.soonest(late), soon);
        assert_eq!(late.soonest(soon), soon);
        assert_eq!(late.soonest(Requeue::ON_CHANGE), late);
        assert_eq!(Requeue::ON_CHANGE.soonest(late), late);
        assert_eq!(Requeue::ON_CHANGE.soonest(Requeue::ON_CHANGE), Requeue::ON_CHANGE);
        assert_eq!(Requeue::AT_ONCE.soonest(soon).wait(), Some(Duration::ZERO));
    }
}
