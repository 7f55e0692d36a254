//! Around every request: an id, a log line, a measurement, and an answer even when a handler panics.

use std::{panic::AssertUnwindSafe, time::Instant};

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use types::Error;

use crate::{
    error::ApiError,
    metrics,
    request_id::{self, ID},
};

pub(crate) async fn around(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id::of(&request);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let path = request.uri().path().to_owned();

    let answer = ID.scope(id.clone(), AssertUnwindSafe(next.run(request)).catch_unwind()).await;
    let mut response = match answer {
        Ok(response) => response,
        Err(_) => ID.sync_scope(id.clone(), || ApiError::from(Error::internal(format_args!("panic in {method} {path}"))).into_response()),
    };

    let status = response.status();
    let took = started.elapsed();
    metrics::request(&method, route.as_ref().map_or("(none)", MatchedPath::as_str), status, took);
    if method == Method::GET && status.is_success() {
        tracing::debug!(request_id = id, %method, path, status = status.as_u16(), ?took, "answered");
    } else {
        tracing::info!(request_id = id, %method, path, status = status.as_u16(), ?took, "answered");
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(request_id::HEADER, value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
