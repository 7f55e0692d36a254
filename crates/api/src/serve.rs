//! Listening.

use std::{future::Future, io};

use axum::{ServiceExt, extract::Request, middleware, serve::ListenerExt};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use tokio::net::TcpListener;
use tower::Layer;

use crate::{metrics::BUCKETS, normalize::normalize, routes};

/// Renders what was measured.
pub type MetricsHandle = metrics_exporter_prometheus::PrometheusHandle;

/// Begins to measure. Once a process.
pub fn install_metrics() -> Result<MetricsHandle, metrics_exporter_prometheus::BuildError> {
    PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_duration_seconds".into()), BUCKETS)?.install_recorder()
}

/// Answers requests until `shutdown` resolves, then finishes those that have begun.
pub async fn serve(listener: TcpListener, state: routes::State, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let listener = listener.tap_io(|stream| {
        // Answers are single writes; waiting for more would only delay them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY not set");
        }
    });
    let service = middleware::map_request(async |request: Request| normalize(request)).layer(routes::router(state));
    axum::serve(listener, ServiceExt::<Request>::into_make_service(service)).with_graceful_shutdown(shutdown).await
}
