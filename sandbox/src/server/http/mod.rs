//! The HTTPS side: a loopback listener, one bearer token, HTTP/1.1.
//!
//! Requests are parsed in [`request`], told apart in [`route`], carried out in [`resource`] and answered through
//! [`reply`]. Everything about kinds comes from the registry; what concerns containers, and KubeVirt's own verbs, is passed
//! on to whoever stands [`behind`]. Not served: HTTP/2, SPDY, port-forward, proxy,
//! protobuf answers, OpenAPI v2.

pub(crate) mod behind;
pub(crate) mod cells;
mod discovery;
mod list;
mod list_options;
mod openapi;
mod options;
mod proto;
pub(crate) mod reply;
pub(crate) mod request;
mod resource;
mod review;
mod route;
mod scan;
pub(crate) mod served;
mod table;
pub(crate) mod target;
mod watch;

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

use crate::machinery::status::Refusal;
use reply::Reply;
use request::Request;
use served::Served;

/// Accepts connections until told to stop, then waits a moment for those that are open.
pub(crate) async fn serve(listener: TcpListener, tls: TlsAcceptor, served: Arc<Served>) {
    let open = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = served.stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let _ = stream.set_nodelay(true);
                open.spawn(connection(stream, tls.clone(), served.clone()));
            }
            // Out of file descriptors, most likely: give the system a moment.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    open.close();
    let _ = tokio::time::timeout(Duration::from_millis(500), open.wait()).await;
}

async fn connection(stream: TcpStream, tls: TlsAcceptor, served: Arc<Served>) {
    let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_secs(10), tls.accept(stream)).await else { return };
    let stop = served.stop.clone();
    let service = service_fn(move |request| {
        let served = served.clone();
        async move { Ok::<_, Infallible>(answer(&served, request).await) }
    });
    let connection =
        hyper::server::conn::http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).with_upgrades();
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

async fn answer(served: &Arc<Served>, request: hyper::Request<Incoming>) -> Reply {
    let path = request.uri().path().trim_end_matches('/').to_owned();
    if matches!(path.as_str(), "/livez" | "/readyz" | "/healthz") {
        return reply::text(200, "ok");
    }
    if !authorized(&request, &served.token) {
        return reply::refused(&Refusal::new(401, "Unauthorized", "Unauthorized"));
    }
    let writes = !request.method().is_safe();
    let answered = match Request::read(request).await {
        // A bug in one request must not look like a lost connection.
        Ok(request) => AssertUnwindSafe(route::route(served, request)).catch_unwind().await.unwrap_or_else(|_| Err(Refusal::internal("a panic"))),
        Err(refusal) => Err(refusal),
    };
    let mut reply = answered.unwrap_or_else(|refusal| reply::refused(&refusal));
    if writes {
        reply::warn(&mut reply);
    }
    reply
}

/// Compares the whole token, whatever its first wrong byte.
fn authorized(request: &hyper::Request<Incoming>, token: &str) -> bool {
    let header = request.headers().get(http::header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let Some(given) = header.and_then(|h| h.strip_prefix("Bearer ")) else { return false };
    let same = given.bytes().zip(token.bytes()).fold(0, |wrong, (a, b)| wrong | (a ^ b));
    given.len() == token.len() && same == 0
}
