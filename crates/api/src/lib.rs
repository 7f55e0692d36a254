//! HTTP: router, extractors, errors as problem documents, OpenAPI.
//!
//! Handlers are a few lines: take apart the request, call one use case of [`app`], put together the answer.
//! No rule lives here, and nothing here knows the database or Kubernetes.
#![warn(missing_docs)]

mod budget;
mod error;
mod extract;
mod listen;
mod local;
mod metrics;
mod normalize;
mod openapi;
mod page;
mod request;
mod request_id;
mod routes;
mod sign_in;
mod state;

pub use listen::{Limits, serve};
pub use local::local_only;
pub use metrics::{MetricsHandle, install_metrics};
pub use routes::{admin_router, document, router, router_with_operations};
pub use state::{Checks, State};
