//! JSON bodies: 415 for another type, 413 for too much, 408 for too slow, 400 for what is no JSON, 422 for what doesn't fit.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{FromRequest, Request},
    http::{StatusCode, header},
};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use serde::de::{DeserializeOwned, IgnoredAny};
use types::{Error, UserId};

use crate::{
    budget::{Budget, Taken},
    error::ApiError,
    state::State,
};

/// A body, parsed; the bytes too, for digests.
pub(crate) struct Body<T>(pub(crate) T, pub(crate) Bytes);

/// A body that may be left out: the default then.
pub(crate) struct OptionalBody<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<State> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &State) -> Result<Self, ApiError> {
        let json = is_json(&request);
        let bytes = read(request, &state.budget).await?;
        if !json {
            return Err(ApiError::with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Expected 'Content-Type: application/json'"));
        }
        Ok(Self(parse(&bytes)?, bytes))
    }
}

impl<T: DeserializeOwned> FromRequest<State> for OptionalBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &State) -> Result<Self, ApiError> {
        let json = is_json(&request);
        let bytes = read(request, &state.budget).await?;
        if bytes.is_empty() {
            return Ok(Self(parse(b"{}")?));
        }
        if !json {
            return Err(ApiError::with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Expected 'Content-Type: application/json'"));
        }
        Ok(Self(parse(&bytes)?))
    }
}

fn is_json(request: &Request) -> bool {
    let value = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Largest body: nothing that we take is near it.
const LIMIT: usize = 1024 * 1024;

/// Bodies up to this are read without asking: nearly all are far smaller, and as many as there may be requests fit in memory.
const SMALL: usize = 16 * 1024;

/// Most time for all of a body.
const DEADLINE: Duration = Duration::from_secs(10);

/// How much of a body that is too large is still read, and thrown away: a client that is cut off while it sends never
/// sees the answer.
const DRAINED: usize = 16 * LIMIT;

async fn read(request: Request, budget: &Arc<Budget>) -> Result<Bytes, ApiError> {
    let user = request.extensions().get::<UserId>().copied();
    let reading = collect(request.into_body(), || budget.large_body(user));
    match tokio::time::timeout(DEADLINE, reading).await {
        Ok(read) => read,
        Err(_) => Err(ApiError::with_status(StatusCode::REQUEST_TIMEOUT, "The body did not come within 10 s")),
    }
}

/// Reads a body. Beyond [`SMALL`] it needs room; who gets none is refused, and what was read is given up.
async fn collect(mut body: axum::body::Body, room: impl FnOnce() -> types::Result<Taken>) -> Result<Bytes, ApiError> {
    let (mut kept, mut seen) = (BytesMut::new(), 0);
    let (mut room, mut taken) = (Some(room), None);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Error::Malformed("The body ended early".into()))?;
        let Ok(data) = frame.into_data() else { continue };
        seen += data.len();
        if seen > SMALL
            && let Some(room) = room.take()
        {
            taken = Some(room()?);
        }
        if seen <= LIMIT {
            kept.extend_from_slice(&data);
        } else {
            (kept, taken) = (BytesMut::new(), None);
        }
        if seen > DRAINED {
            break;
        }
    }
    drop(taken);
    if seen > LIMIT {
        return Err(ApiError::with_status(StatusCode::PAYLOAD_TOO_LARGE, "The body is larger than 1 MiB"));
    }
    Ok(kept.freeze())
}

/// First whether it is JSON at all, then whether it fits: serde_json tells the two apart only for some types.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::Malformed("The body is not UTF-8".into()))?;
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| Error::Malformed(format!("The body is not valid JSON: {error}")))?;
    // serde would take a list for the fields in their order.
    if !text.trim_start().starts_with('{') {
        return Err(Error::field("body", "must be an object").into());
    }
    let mut json = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = error.path().to_string();
        invalid(&field, &error.into_inner()).into()
    })
}

/// serde_json says where in the text; the field's name is enough.
fn invalid(field: &str, error: &serde_json::Error) -> Error {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    // A missing field has no path of its own.
    let named = text.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    match named {
        Some(name) => Error::field(name, "is missing"),
        // What serde_json says of a value where a word of a list is expected.
        None if text == "expected value" => Error::field(field, "must be a string"),
        None => Error::field(if field == "." { "body" } else { field }, text),
    }
}
