//! Errors as `application/problem+json`.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use types::{Error, FieldError, error::QuotaShortage};
use wire::{
    problem::{Field, Problem, Shortage},
    word::Word,
};

use crate::request_id;

/// An error on its way out.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    error: Error,
}

/// What handlers answer.
pub(crate) type Result<T> = std::result::Result<T, ApiError>;

impl ApiError {
    /// With a status code that the error alone does not tell: 404, 405, 413, 415.
    pub(crate) fn with_status(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, error: Error::Malformed(message.into()) }
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Malformed(_) => StatusCode::BAD_REQUEST,
            Error::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Error::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Error::Forbidden(_) => StatusCode::FORBIDDEN,
            Error::NotFound { .. } => StatusCode::NOT_FOUND,
            Error::Conflict { .. } | Error::SuspendNotSupported | Error::QuotaExceeded(_) => StatusCode::CONFLICT,
            Error::Unavailable { .. } | Error::Contended => StatusCode::SERVICE_UNAVAILABLE,
            Error::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Error::Member { timed_out: false, .. } => StatusCode::BAD_GATEWAY,
            Error::Member { timed_out: true, .. } => StatusCode::GATEWAY_TIMEOUT,
            Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self { status, error }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Self { status, error } = self;
        let request_id = request_id::current();
        if let Error::Internal(message) = &error {
            tracing::error!(request_id, message, "internal error");
        }
        let problem = Problem {
            r#type: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: detail(&error),
            code: Word::of(code(status, &error)),
            request_id,
            errors: fields(&error),
            allowed: match &error {
                Error::Conflict { allowed, .. } if !allowed.is_empty() => Some(allowed.iter().map(|word| Word::of(word)).collect()),
                _ => None,
            },
            quota: shortages(&error),
        };
        let mut response = (status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match &error {
            Error::Unauthenticated(_) => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Error::Unavailable { retry_after_seconds, .. } | Error::TooMany { retry_after_seconds, .. } => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(*retry_after_seconds));
            }
            Error::Contended => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(1));
            }
            _ => {}
        }
        response
    }
}

/// An internal error says the same to everybody; its message is in the log.
fn detail(error: &Error) -> String {
    match error {
        Error::Internal(_) => "Internal error; the request id finds it in the log".to_owned(),
        other => other.to_string(),
    }
}

fn code(status: StatusCode, error: &Error) -> &'static str {
    match status {
        StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
        StatusCode::PAYLOAD_TOO_LARGE => "payload_too_large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported_media_type",
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::REQUEST_TIMEOUT => "timeout",
        _ => error.code(),
    }
}

fn fields(error: &Error) -> Vec<Field> {
    let Error::Invalid(fields) = error else { return Vec::new() };
    fields.iter().map(|FieldError { field, message }| Field { field: field.clone(), message: message.clone() }).collect()
}

fn shortages(error: &Error) -> Vec<Shortage> {
    let Error::QuotaExceeded(short) = error else { return Vec::new() };
    short
        .iter()
        .map(|QuotaShortage { resource, requested, used, limit, available }| Shortage {
            resource: Word::of(resource),
            requested: *requested,
            used: *used,
            limit: *limit,
            available: *available,
        })
        .collect()
}
