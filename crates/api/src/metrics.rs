//! What is measured of requests. Labels are route templates, never paths or users.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// Renders what was measured.
pub type MetricsHandle = PrometheusHandle;

/// Upper bounds of the histogram, in seconds.
const BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Begins to measure. Once a process.
pub fn install_metrics() -> Result<MetricsHandle, BuildError> {
    PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_duration_seconds".into()), BUCKETS)?.install_recorder()
}

/// Notes an answered request.
pub(crate) fn request(method: &Method, route: &str, status: StatusCode, took: Duration) {
    let method = match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        _ => "other",
    };
    metrics::histogram!(
        "kubekcloud_http_request_duration_seconds",
        "method" => method,
        "route" => route.to_owned(),
        "status" => status.as_str().to_owned()
    )
    .record(took.as_secs_f64());
}
