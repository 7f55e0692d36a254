//! Every route, by noun.

mod audit;
mod cluster;
mod docs;
mod health;
mod instance;
mod user;

use std::{fmt, sync::Arc, time::Duration};

use app::App;
use axum::{
    Router,
    http::{Method, StatusCode},
    middleware,
    response::IntoResponse,
};
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::health::Check;

use crate::{
    MetricsHandle,
    error::ApiError,
    openapi::{self, Document},
    request,
};

/// Most time for a request: the longest `?wait=` and some.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(90);

/// What handlers need.
#[derive(Clone)]
pub struct State {
    /// The use cases.
    pub app: App,
    /// What was measured.
    pub metrics: MetricsHandle,
    /// How reconciling is.
    pub checks: Arc<dyn Fn() -> Vec<Check> + Send + Sync>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("app", &self.app).finish_non_exhaustive()
    }
}

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
