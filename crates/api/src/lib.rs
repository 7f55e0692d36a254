//! HTTP: router, extractors, problem+json, OpenAPI.
