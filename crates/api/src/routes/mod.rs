//! Every route, by noun.

mod audit;
mod cluster;
mod docs;
mod health;
mod instance;
mod user;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    http::{Method, StatusCode},
    middleware,
    response::IntoResponse,
};
use types::Error;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    budget,
    error::ApiError,
    openapi::{self, Document},
    request,
    state::State,
};

/// Most time for a request: the longest `?wait=` and some.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(90);

/// The API, but for what tells of the process.
fn api() -> OpenApiRouter<State> {
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
}

/// Health, readiness and measurements.
fn operations() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(health::livez)).routes(routes!(health::readyz)).routes(routes!(health::metrics))
}

fn health() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(health::health))
}

/// The whole OpenAPI document.
pub fn document() -> utoipa::openapi::OpenApi {
    openapi::with_problems(api().merge(health()).merge(operations()).into_openapi())
}

/// The API with its documentation pages and the original `/health`.
pub fn router(state: State) -> Router {
    around(bounded(&state).merge(plain(health())), state)
}

/// What tells of the process. It knows no user: keep it where only operators come.
pub fn admin_router(state: State) -> Router {
    around(plain(health().merge(operations())), state)
}

/// Both in one.
pub fn router_with_operations(state: State) -> Router {
    around(bounded(&state).merge(plain(health().merge(operations()))), state)
}

/// The API, where there is room for a request. Health answers even when there is none.
fn bounded(state: &State) -> Router<State> {
    let within = middleware::from_fn_with_state(Arc::clone(&state.budget), budget::within);
    plain(api()).layer(middleware::from_fn(no_unkept_promise)).merge(docs::router(&document())).layer(within)
}

/// Without its part of the document.
fn plain(router: OpenApiRouter<State>) -> Router<State> {
    router.split_for_parts().0
}

fn around(router: Router<State>, state: State) -> Router {
    router
        .fallback(async || ApiError::with_status(StatusCode::NOT_FOUND, "No such path"))
        .method_not_allowed_fallback(async |method: Method| {
            ApiError::with_status(StatusCode::METHOD_NOT_ALLOWED, format!("{method} is not possible here"))
        })
        .layer(middleware::from_fn(deadline))
        .layer(middleware::from_fn(request::around))
        .with_state(state)
}

/// Who sends an `Idempotency-Key` relies on it: where it is not looked at, that is said, not left to a second creation.
async fn no_unkept_promise(request: axum::extract::Request, next: middleware::Next) -> axum::response::Response {
    let kept = request.method() == Method::POST && request.uri().path() == cluster::PATH;
    if !kept && request.method() != Method::GET && request.headers().contains_key(cluster::IDEMPOTENCY_KEY) {
        return ApiError::from(Error::field("Idempotency-Key", "is for creating clusters; here it would promise nothing")).into_response();
    }
    next.run(request).await
}

async fn deadline(request: axum::extract::Request, next: middleware::Next) -> axum::response::Response {
    match tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::with_status(StatusCode::REQUEST_TIMEOUT, "The request took too long").into_response(),
    }
}
