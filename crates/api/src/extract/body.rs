//! JSON bodies: 415 for another type, 413 for too much, 400 for what is no JSON, 422 for what doesn't fit.

use axum::{
    extract::{FromRequest, Request},
    http::{StatusCode, header},
};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use types::Error;

use crate::{error::ApiError, routes::State};

/// A body, parsed; the bytes too, for digests.
pub(crate) struct Body<T>(pub(crate) T, pub(crate) Bytes);

/// A body that may be left out: the default then.
pub(crate) struct OptionalBody<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<State> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &State) -> Result<Self, ApiError> {
        let json = is_json(&request);
        let bytes = read(request, state).await?;
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
        let bytes = read(request, state).await?;
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

async fn read(request: Request, state: &State) -> Result<Bytes, ApiError> {
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::with_status(StatusCode::PAYLOAD_TOO_LARGE, "The body is larger than 1 MiB"),
        status => ApiError::with_status(status, rejection.body_text()),
    })
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = error.path().to_string();
        let inner = error.into_inner();
        if inner.is_data() { invalid(&field, &inner) } else { Error::Malformed(format!("The body is not valid JSON: {inner}")) }
    })?;
    json.end().map_err(|error| Error::Malformed(format!("The body is not valid JSON: {error}")))?;
    Ok(value)
}

/// serde_json says where in the text; the field's name is enough.
fn invalid(field: &str, error: &serde_json::Error) -> Error {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    // A missing field has no path of its own.
    let named = text.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    match named {
        Some(name) => Error::field(name, "is missing"),
        None => Error::field(if field == "." { "body" } else { field }, text),
    }
}
