//! Listening: connections, their bounds and their deadlines.
//!
//! A client that says nothing, or says it slowly, or never takes its answer, must not keep others out: [`activity`] knows what
//! a connection is doing and how long it may, [`connections`] how many there may be. HTTP/1.1 only: TLS and HTTP/2 end at
//! the proxy, and one connection with hundreds of streams would pass by every bound here.

mod activity;
mod connections;
mod peer;
mod stream;

use std::{convert::Infallible, future::Future, io, net::IpAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

pub use connections::Limits;
pub(crate) use peer::{Peer, client_of};

use crate::normalize::normalize;
use connections::{Connections, Place};
use stream::{Answer, Asked, Watched};

/// Wait before accepting again when the process has run out of files.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// How often connections are asked whether they have had their time.
const SWEEP: Duration = Duration::from_secs(1);

/// Most bytes of a request's head, and of a body that wait to be read.
const BUFFER: usize = 32 * 1024;

/// What somebody gets for whom there is no place.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Answers requests until `shutdown` resolves, then finishes those that have begun.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, shutdown: impl Future<Output = ()> + Send) {
    let register = Arc::new(Connections::new(limits));
    let graceful = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    let mut sweep = tokio::time::interval(SWEEP);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = sweep.tick() => {
                register.sweep();
                continue;
            }
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                // A socket for both kinds of addresses tells IPv4 in the clothes of IPv6.
                let address = peer.ip().to_canonical();
                match register.admit(address) {
                    Some(place) => {
                        tokio::spawn(answer(stream, address, place, router.clone(), &graceful));
                    }
                    None => refuse(&stream),
                }
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
    drop(listener);
    let mut finished = pin!(graceful.shutdown());
    loop {
        tokio::select! {
            () = &mut finished => return,
            _ = sweep.tick() => register.sweep(),
        }
    }
}

/// Answers the requests of one connection.
fn answer(stream: TcpStream, address: IpAddr, place: Place, router: Router, graceful: &GracefulShutdown) -> impl Future<Output = ()> + Send + use<> {
    // Answers are single writes; waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    let activity = Arc::clone(&place.connection.activity);
    let stream = TokioIo::new(Watched::new(stream, Arc::clone(&activity)));
    let service = service_fn(move |request: Request<Incoming>| {
        let asked = Asked::now(&activity);
        let (router, peer) = (router.clone(), Peer::new(address, Arc::clone(&activity)));
        async move {
            let mut request = normalize(request.map(Body::new));
            request.extensions_mut().insert(peer);
            let Ok(response) = router.oneshot(request).await;
            Ok::<_, Infallible>(Response::map(response, |body| Answer::new(body, asked)))
        }
    });
    // Deadlines are `activity`'s: hyper's own would end idle connections as early as those that crawl.
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(BUFFER);
    let connection = graceful.watch(http.serve_connection(stream, service));
    async move {
        tokio::select! {
            ended = connection => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "connection ended");
                }
            }
            () = place.connection.end.notified() => tracing::debug!("connection ended: silent for too long, or its place was needed"),
        }
    }
}

/// A word to somebody for whom there is no place. Whether it arrives is not waited for.
fn refuse(stream: &TcpStream) {
    let written = stream.try_write(FULL);
    if let Err(error) = written.map_err(|error: io::Error| error.kind()) {
        tracing::debug!(%error, "a connection too many");
    }
}
