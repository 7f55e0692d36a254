//! A deadline by this process's own clock, after which nothing is written to a member.
//!
//! The lease in the database says who may write; this says so without asking. Whoever renews the lease extends the
//! fence by what it was granted, counted from *before* it asked, so a stalled or cut-off replica stops in time.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Shared by the task that renews a lease and by all that write under it.
#[derive(Debug, Clone)]
pub struct Fence(Arc<Mutex<Instant>>);

impl Fence {
    /// Writing is allowed until then.
    pub fn until(deadline: Instant) -> Self {
        Self(Arc::new(Mutex::new(deadline)))
    }

    /// Moves the deadline.
    pub fn extend(&self, deadline: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = deadline;
    }

    /// Forbids writing from now on.
    pub fn revoke(&self) {
        self.extend(Instant::now());
    }

    /// How long writing is still allowed; `None` when it is not.
    pub fn remaining(&self) -> Option<Duration> {
        let deadline = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }
}
