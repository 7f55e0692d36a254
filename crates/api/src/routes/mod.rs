//! Every route, by noun.

mod audit;
mod cluster;
mod docs;
mod health;
mod instance;
mod user;

use std::time::Duration;

use axum::{
    Router,
    http::{Method, StatusCode},
    middleware,
    response::IntoResponse,
};
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    error::ApiError,
    openapi::{self, Document},
    request,
    state::State,
};

/// Most time for a request: the longest `?wait=` and some.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(90);

/// The API with its documentation.
fn with_document() -> OpenApiRouter<State> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(user::create, user::list))
        .routes(routes!(user::me))
        .routes(routes!(user::quota))
        .routes(routes!(user::get, user::update, user::delete))
        .routes(routes!(user::rotate_token))
        .routes(routes!(cluster::create, cluster::list))
        .routes(routes!(cluster::get, cluster::scale, cluster::delete))
        .routes(routes!(cluster::suspend))
        .routes(routes!(cluster::resume))
        .routes(routes!(cluster::start))
        .routes(routes!(cluster::stop))
        .routes(routes!(cluster::instances))
        .routes(routes!(instance::get))
        .routes(routes!(instance::operate))
        .routes(routes!(instance::logs))
        .routes(routes!(instance::events))
        .routes(routes!(instance::capabilities))
        .routes(routes!(audit::list))
        .routes(routes!(health::health))
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
}

/// The whole OpenAPI document.
pub fn document() -> utoipa::openapi::OpenApi {
    openapi::with_problems(with_document().into_openapi())
}

/// The API, its documentation pages, and what goes around them.
pub(crate) fn router(state: State) -> Router {
    let (router, _) = with_document().split_for_parts();
    router
        .merge(docs::router(&document()))
        .fallback(async || ApiError::with_status(StatusCode::NOT_FOUND, "No such path"))
        .method_not_allowed_fallback(async |method: Method| {
            ApiError::with_status(StatusCode::METHOD_NOT_ALLOWED, format!("{method} is not possible here"))
        })
        .layer(middleware::from_fn(deadline))
        .layer(middleware::from_fn(request::around))
        .with_state(state)
}

async fn deadline(request: axum::extract::Request, next: middleware::Next) -> axum::response::Response {
    match tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::with_status(StatusCode::REQUEST_TIMEOUT, "The request took too long").into_response(),
    }
}
