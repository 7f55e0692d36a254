//! The id of a request: in its answer's header, in its problem document and in the log.

use axum::extract::Request;
use rand::{Rng, distr::Alphanumeric};

pub(crate) const HEADER: &str = "x-request-id";

tokio::task_local! {
    pub(crate) static ID: String;
}

/// The id of the request that this task is answering.
pub(crate) fn current() -> String {
    ID.try_with(Clone::clone).unwrap_or_default()
}

/// Takes over a sane `X-Request-Id`, makes one otherwise.
pub(crate) fn of(request: &Request) -> String {
    let given = request.headers().get(HEADER).and_then(|value| value.to_str().ok());
    let sane = |id: &&str| (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    match given.filter(sane) {
        Some(id) => id.to_owned(),
        None => rand::rng().sample_iter(Alphanumeric).map(char::from).take(16).collect(),
    }
}
