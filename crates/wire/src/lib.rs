//! Request and response bodies, exactly as they travel: serde for the shape, utoipa for the OpenAPI schema.
//!
//! Units: CPU in cores, memory and storage in GiB (called GB in the original API), times in RFC 3339.
//! Requests refuse fields that they don't know; answers may gain fields. No rules here: those are `app`'s.
#![warn(missing_docs)]

pub mod audit;
pub mod cluster;
pub mod health;
pub mod instance;
pub mod problem;
mod schema;
pub mod user;
