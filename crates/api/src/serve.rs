//! Listening.

use std::{future::Future, io, pin::pin, sync::Arc, time::Duration};

use axum::body::Body;
use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tower::ServiceExt;

use crate::{normalize::normalize, routes, state::State};

/// Most time that a client may take to send its headers.
const HEADERS: Duration = Duration::from_secs(10);

/// Most connections at a time. Further ones wait in the kernel's queue.
const CONNECTIONS: usize = 4096;

/// Wait before accepting again when the process has run out of files.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// Answers requests until `shutdown` resolves, then finishes those that have begun.
///
/// Not `axum::serve`, which gives a client that never ends its headers all the time in the world.
pub async fn serve(listener: TcpListener, state: State, shutdown: impl Future<Output = ()> + Send) {
    let router = routes::router(state);
    let mut http = Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS);
    http.http2().timer(TokioTimer::new());
    let graceful = GracefulShutdown::new();
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &free) => accepted,
            () = &mut shutdown => break,
        };
        let (stream, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        let router = router.clone();
        let service = service_fn(move |request: Request<Incoming>| router.clone().oneshot(normalize(request.map(Body::new))));
        let connection = http.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error, "connection ended");
            }
            drop(permit);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

async fn accept(listener: &TcpListener, free: &Arc<Semaphore>) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(free).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    // Answers are single writes; waiting for more would only delay them.
    stream.set_nodelay(true)?;
    Ok((stream, permit))
}
