//! The registry behind every image name on the node: has our images, and for all others the answers
//! that a real one gives. What lies under `private/` wants a login that nobody has.

use super::image::Images;
use anyhow::{Context, Result};
use http::{
    Request, Response, StatusCode,
    header::{CONTENT_TYPE, WWW_AUTHENTICATE},
};
use http_body_util::Full;
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::json;
use std::{convert::Infallible, sync::Arc};
use tokio::net::TcpListener;

/// In the node's own network.
pub(super) const ADDRESS: &str = "127.0.0.1:5000";

/// What holds a Pod's namespaces.
pub(super) const PAUSE: &str = "registry.test/pause:1";

pub(super) async fn serve(images: Arc<Images>) -> Result<()> {
    let listener = TcpListener::bind(ADDRESS).await.context("listen as a registry")?;
    loop {
        let (stream, _) = listener.accept().await.context("accept")?;
        let images = images.clone();
        tokio::spawn(async move {
            let service = service_fn(|request: Request<Incoming>| {
                let answer = answer(&images, request.uri().path());
                async { Ok::<_, Infallible>(answer) }
            });
            // A client that hangs up has what it wants.
            let _ended = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn answer(images: &Images, path: &str) -> Response<Full<Bytes>> {
    let Some(path) = path.strip_prefix("/v2/") else { return refusal(StatusCode::NOT_FOUND, "UNSUPPORTED") };
    if path.is_empty() {
        return Response::new(Full::from("{}"));
    }
    if path.starts_with("private/") {
        let mut response = refusal(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
        response.headers_mut().insert(WWW_AUTHENTICATE, http::HeaderValue::from_static("Basic realm=\"private\""));
        return response;
    }
    let (found, missing) = match (path.split_once("/manifests/"), path.split_once("/blobs/")) {
        (Some((repository, reference)), _) => (images.manifest(repository, reference), "MANIFEST_UNKNOWN"),
        (_, Some((_, digest))) => (images.blob(digest), "BLOB_UNKNOWN"),
        _ => (None, "NAME_UNKNOWN"),
    };
    let Some(blob) = found else { return refusal(StatusCode::NOT_FOUND, missing) };
    let response = Response::builder().header(CONTENT_TYPE, blob.media_type).header("Docker-Content-Digest", &blob.digest);
    response.body(Full::from(blob.bytes.clone())).unwrap_or_default()
}

fn refusal(status: StatusCode, code: &str) -> Response<Full<Bytes>> {
    let body = json!({"errors": [{"code": code, "message": code.to_lowercase().replace('_', " ")}]}).to_string();
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_refused_as_a_registry_refuses() {
        let images = Images::new(Vec::new());
        assert_eq!(answer(&images, "/v2/").status(), 200);
        assert_eq!(answer(&images, "/v2/shop/nope/manifests/1.0").status(), 404);
        assert_eq!(answer(&images, "/v2/shop/nope/blobs/sha256:0").status(), 404);
        let private = answer(&images, "/v2/private/shop/manifests/1.0");
        assert_eq!(private.status(), 401);
        assert!(private.headers().contains_key(WWW_AUTHENTICATE));
    }
}
