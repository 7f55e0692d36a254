//! HTTP: router, extractors, errors as problem documents, OpenAPI.
//!
//! Handlers are a few lines: take apart the request, call one use case of [`app`], put together the answer.
//! No rule lives here, and nothing here knows the database or Kubernetes.
#![warn(missing_docs)]

mod error;
mod extract;
mod metrics;
mod normalize;
mod openapi;
mod page;
mod request;
mod request_id;
mod routes;
mod serve;

pub use routes::{State, document};
pub use serve::{MetricsHandle, install_metrics, serve};
