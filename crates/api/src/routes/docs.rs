//! `/openapi.json`, `/docs` (Swagger UI), `/redoc`: all parts are in the binary, nothing is loaded from elsewhere.

use axum::{
    Json, Router,
    http::{HeaderName, HeaderValue, header},
    response::{Html, IntoResponse, Redirect},
    routing::get,
};
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::State;

const REDOC: &str = include_str!(concat!(env!("OUT_DIR"), "/redoc.html"));

/// Scripts are the page's own; ReDoc's logo and anything else from elsewhere is not fetched.
const SWAGGER_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
     frame-ancestors 'none'";

const REDOC_POLICY: (HeaderName, &str) = (
    header::CONTENT_SECURITY_POLICY,
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'self' data:; font-src data:; \
     connect-src 'self'; worker-src blob:; frame-ancestors 'none'",
);

pub(super) fn router(document: &OpenApi) -> Router<State> {
    let document = serde_json::to_value(document).unwrap_or_default();
    Router::new()
        .route("/", get(async || Redirect::temporary("/docs/")))
        .route("/openapi.json", get(async move || Json(document.clone())))
        .route("/redoc", get(async || ([REDOC_POLICY], Html(REDOC)).into_response()))
        .merge(swagger().layer(SetResponseHeaderLayer::overriding(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SWAGGER_POLICY))))
}

fn swagger() -> Router<State> {
    SwaggerUi::new("/docs").config(Config::from("/openapi.json")).into()
}
