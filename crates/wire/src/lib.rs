//! Request and response bodies, exactly as they travel: serde for the shape, utoipa for the OpenAPI schema.
//!
//! Units: CPU in cores, memory and storage in GiB (called GB in the original API), times in RFC 3339.
//! Everything goes both ways, for the server and for its clients. Requests refuse fields and words that they don't know; answers
//! may gain both, and a client that is older than its server keeps a [`word::Word`] that it does not know.
//! No rules here: those are `app`'s.
#![warn(missing_docs)]

pub mod audit;
pub mod cluster;
pub mod health;
pub mod instance;
pub mod problem;
mod schema;
pub mod user;
pub mod word;
