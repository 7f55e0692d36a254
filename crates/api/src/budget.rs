//! What requests may take together, and what those of one user may.
//!
//! Beyond a bound the answer is 503 or 429 with `Retry-After`, at once: a queue of requests that nobody waits for any longer
//! helps nobody. A user's own bound is far below that of all, so that none can use it up for the others.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    extract::{Request, State},
    http::request::Parts,
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use types::{Error, Result, UserId};

use crate::error::ApiError;

/// Requests under way in all. Each costs some ten kilobytes, and a connection.
const REQUESTS: usize = 2_048;
/// Requests of one user under way, those that wait for something included.
const REQUESTS_PER_USER: u32 = 256;
/// Bodies of up to a MiB that are held at a time: in all, and of one user. Small ones are not counted.
const LARGE_BODIES: usize = 32;
const LARGE_BODIES_PER_USER: u32 = 4;

/// When to try again, in seconds.
const RETRY_AFTER: u32 = 1;

/// The bounds, and what is taken of them.
#[derive(Debug)]
pub(crate) struct Budget {
    requests: Arc<Semaphore>,
    large_bodies: Arc<Semaphore>,
    shares: Mutex<HashMap<UserId, Share>>,
}

/// What one user takes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Share {
    requests: u32,
    large_bodies: u32,
}

/// A part of a budget, given back when dropped.
#[derive(Debug)]
pub(crate) struct Taken {
    user: Option<(Arc<Budget>, UserId, Share)>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Taken {
    fn drop(&mut self) {
        let Some((budget, user, taken)) = self.user.take() else { return };
        let mut shares = budget.shares();
        if let Some(share) = shares.get_mut(&user) {
            share.requests -= taken.requests;
            share.large_bodies -= taken.large_bodies;
            if *share == Share::default() {
                shares.remove(&user);
            }
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self { requests: Arc::new(Semaphore::new(REQUESTS)), large_bodies: Arc::new(Semaphore::new(LARGE_BODIES)), shares: Mutex::default() }
    }
}

impl Budget {
    fn shares(&self) -> MutexGuard<'_, HashMap<UserId, Share>> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room for a request.
    pub(crate) fn request(&self) -> Result<Taken> {
        let permit = self.requests.clone().try_acquire_owned().map_err(|_| overloaded())?;
        Ok(Taken { user: None, _permit: Some(permit) })
    }

    /// How many requests there is room for.
    #[cfg(test)]
    pub(crate) fn free(&self) -> usize {
        self.requests.available_permits()
    }

    /// Room for a request among those of its user.
    pub(crate) fn request_of(self: &Arc<Self>, user: UserId) -> Result<Taken> {
        let wanted = Share { requests: 1, large_bodies: 0 };
        self.share(user, wanted, None)
    }

    /// Room for a body that is not small.
    pub(crate) fn large_body(self: &Arc<Self>, user: Option<UserId>) -> Result<Taken> {
        let permit = self.large_bodies.clone().try_acquire_owned().map_err(|_| overloaded())?;
        match user {
            Some(user) => self.share(user, Share { requests: 0, large_bodies: 1 }, Some(permit)),
            None => Ok(Taken { user: None, _permit: Some(permit) }),
        }
    }

    fn share(self: &Arc<Self>, user: UserId, wanted: Share, permit: Option<OwnedSemaphorePermit>) -> Result<Taken> {
        let mut shares = self.shares();
        let taken = shares.get(&user).copied().unwrap_or_default();
        let after = Share { requests: taken.requests + wanted.requests, large_bodies: taken.large_bodies + wanted.large_bodies };
        if after.requests > REQUESTS_PER_USER || after.large_bodies > LARGE_BODIES_PER_USER {
            return Err(Error::TooMany { message: "Too many of your requests are under way".to_owned(), retry_after_seconds: RETRY_AFTER });
        }
        shares.insert(user, after);
        Ok(Taken { user: Some((Arc::clone(self), user, wanted)), _permit: permit })
    }
}

/// What a request has taken so far; it travels with the request, and all of it is given back when the request is over.
#[derive(Debug, Clone)]
pub(crate) struct Held(Arc<Mutex<Vec<Taken>>>);

impl Held {
    /// Of a request that was admitted.
    pub(crate) fn new(taken: Taken) -> Self {
        Self(Arc::new(Mutex::new(vec![taken])))
    }

    /// Gives back what the request of these parts holds: it will ask for nothing more.
    pub(crate) fn release(parts: &Parts) {
        if let Some(Self(held)) = parts.extensions.get::<Self>() {
            held.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    /// Adds to what the request of these parts holds.
    pub(crate) fn keep(parts: &Parts, taken: Taken) {
        if let Some(Self(held)) = parts.extensions.get::<Self>() {
            held.lock().unwrap_or_else(PoisonError::into_inner).push(taken);
        }
    }
}

/// Around every request of the API: room for it, or an answer at once.
pub(crate) async fn within(State(budget): State<Arc<Budget>>, mut request: Request, next: Next) -> Response {
    let taken = match budget.request() {
        Ok(taken) => taken,
        Err(error) => return ApiError::from(error).into_response(),
    };
    let held = Held::new(taken);
    request.extensions_mut().insert(held.clone());
    let response = next.run(request).await;
    drop(held);
    response
}

fn overloaded() -> Error {
    Error::Unavailable { message: "Too many requests are under way".to_owned(), retry_after_seconds: RETRY_AFTER }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: UserId = UserId(1);
    const BOB: UserId = UserId(2);

    #[test]
    fn one_user_cannot_take_what_others_need() {
        let budget = Arc::new(Budget::default());
        let taken: Vec<Taken> = (0..REQUESTS_PER_USER).map(|_| budget.request_of(ALICE).expect("room")).collect();
        assert!(matches!(budget.request_of(ALICE), Err(Error::TooMany { .. })));
        assert!(budget.request_of(BOB).is_ok());
        drop(taken);
        assert!(budget.request_of(ALICE).is_ok());
        assert!(budget.shares().is_empty(), "nothing is kept of who takes nothing");
    }

    #[test]
    fn large_bodies_are_few_and_fewer_for_each() {
        let budget = Arc::new(Budget::default());
        let own: Vec<Taken> = (0..LARGE_BODIES_PER_USER).map(|_| budget.large_body(Some(ALICE)).expect("room")).collect();
        assert!(matches!(budget.large_body(Some(ALICE)), Err(Error::TooMany { .. })));
        let others: Vec<Taken> = (own.len()..LARGE_BODIES).map(|_| budget.large_body(None).expect("room")).collect();
        assert!(matches!(budget.large_body(Some(BOB)), Err(Error::Unavailable { .. })));
        drop(others);
        assert!(budget.large_body(Some(BOB)).is_ok());
    }

    #[test]
    fn beyond_the_bound_of_all_nobody_waits_in_vain() {
        let budget = Budget::default();
        let taken: Vec<Taken> = (0..REQUESTS).map(|_| budget.request().expect("room")).collect();
        assert!(matches!(budget.request(), Err(Error::Unavailable { .. })));
        drop(taken);
        assert!(budget.request().is_ok());
    }
}
