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
mod state;

pub use metrics::{MetricsHandle, install_metrics};
pub use routes::document;
pub use serve::serve;
pub use state::State;
