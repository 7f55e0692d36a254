//! `/health`, `/livez`, `/readyz`, `/metrics`

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use types::Error;
use wire::health::{Check, Health, HealthStatus};

use crate::{extract::Query, routes};

/// A probe that waits longer than this has given up.
const DATABASE_DEADLINE: Duration = Duration::from_secs(2);

/// The health check of the original API: 200 while the process answers, with `degraded` when something it needs does not.
#[utoipa::path(get, path = "/health", tag = "operations", security(()), responses((status = 200, body = Health)))]
pub(super) async fn health(State(state): State<routes::State>) -> Json<Health> {
    let healthy = checks(&state).await.iter().all(|check| check.ok);
    let status = if healthy { HealthStatus::Healthy } else { HealthStatus::Degraded };
    Json(Health { status: status.into(), version: env!("CARGO_PKG_VERSION").to_owned() })
}

/// Whether the process answers at all. Looks at nothing else, so that no outage of a database restarts it.
#[utoipa::path(get, path = "/livez", tag = "operations", security(()), responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn livez() -> &'static str {
    "ok\n"
}

#[derive(Deserialize)]
pub(super) struct Verbose {
    verbose: Option<String>,
}

/// Whether traffic should come here. `?verbose` lists what was looked at.
#[utoipa::path(
    get, path = "/readyz", tag = "operations", security(()),
    params(("verbose" = Option<String>, Query, description = "List what was looked at", allow_reserved)),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 503, body = String, content_type = "text/plain"))
)]
pub(super) async fn readyz(State(state): State<routes::State>, Query(query): Query<Verbose>) -> Response {
    let checks = checks(&state).await;
    let ready = checks.iter().all(|check| check.ok || !check.required);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut text = String::new();
    if query.verbose.is_some() {
        for Check { name, ok, required, message } in checks {
            let sign = if ok { "[+]" } else { "[-]" };
            let note = if required { "" } else { " (not required)" };
            text.push_str(&format!(
                "{sign}{name} {}{note}{}{message}\n",
                if ok { "ok" } else { "failed" },
                if message.is_empty() { "" } else { ": " }
            ));
        }
    }
    text.push_str(if ready { "ok\n" } else { "not ready\n" });
    (status, text).into_response()
}

/// Measurements in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", tag = "operations", security(()), responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn metrics(State(state): State<routes::State>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], state.metrics.render()).into_response()
}

async fn checks(state: &routes::State) -> Vec<Check> {
    let database = tokio::time::timeout(DATABASE_DEADLINE, state.app.database_ready()).await;
    let database = database.unwrap_or_else(|_| Err(Error::internal("no answer in time")));
    let message = database.as_ref().err().map(ToString::to_string).unwrap_or_default();
    let mut checks = vec![Check { name: "database".into(), ok: database.is_ok(), required: true, message }];
    checks.extend((state.checks)());
    checks
}
