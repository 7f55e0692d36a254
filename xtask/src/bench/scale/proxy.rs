//! Stands between the product and a Kubernetes: counts requests, and can have every watch list anew.
//!
//! Plain HTTP towards the product; towards the Kubernetes with the credential of its kubeconfig.

use anyhow::{Context, Result};
use futures::{StreamExt, stream};
use http::{
    HeaderName, Method, Request, Response, StatusCode,
    header::{ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING},
};
use http_body_util::{BodyExt, BodyStream, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::{Bytes, Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use kube::Client;
use serde_json::json;
use std::{
    convert::Infallible,
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

/// What a connection, not a request, is about.
const HOPS: [HeaderName; 5] = [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, ACCEPT_ENCODING];

/// How a server tells a watch that it must list anew.
const EXPIRED: &str = r#"{"type":"ERROR","object":{"apiVersion":"v1","kind":"Status","metadata":{},"status":"Failure","message":"too old resource version","reason":"Expired","code":410}}"#;

type Body = UnsyncBoxBody<Bytes, kube::Error>;

pub(super) struct Proxy {
    pub(super) kubeconfig: PathBuf,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    behind: Client,
    watches: AtomicU64,
    reads: AtomicU64,
    writes: AtomicU64,
    /// Grows with each [`Proxy::expire`].
    expiries: watch::Sender<u64>,
}

/// Requests so far.
#[derive(Clone, Copy)]
pub(super) struct Requests {
    pub(super) watches: u64,
    pub(super) reads: u64,
    pub(super) writes: u64,
}

impl Proxy {
    /// In front of what `kubeconfig` names; its own kubeconfig goes into `dir`.
    pub(super) async fn start(kubeconfig: &Path, dir: &Path) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("listen")?;
        let shared = Arc::new(Shared {
            behind: super::client(kubeconfig).await?,
            watches: AtomicU64::default(),
            reads: AtomicU64::default(),
            writes: AtomicU64::default(),
            expiries: watch::Sender::new(0),
        });
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "proxy", "cluster": {"server": format!("http://{}", listener.local_addr()?)}}],
            "users": [{"name": "proxy", "user": {}}],
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}],
            "current-context": "proxy",
        });
        let kubeconfig = dir.join("proxy.kubeconfig");
        fs::write(&kubeconfig, config.to_string()).with_context(|| format!("write {}", kubeconfig.display()))?;
        let serving = tokio::spawn(serve(listener, shared.clone()));
        Ok(Self { kubeconfig, shared, serving })
    }

    pub(super) fn requests(&self) -> Requests {
        let Shared { watches, reads, writes, .. } = &*self.shared;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Requests { watches: count(watches), reads: count(reads), writes: count(writes) }
    }

    /// Ends every watch that is open, as a server does that has forgotten what it asks for.
    pub(super) fn expire(&self) {
        self.shared.expiries.send_modify(|n| *n += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        // Small answers go out at once.
        let _slower = stream.set_nodelay(true);
        let shared = shared.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| answer(shared.clone(), request));
            // A client that is killed is what this is for.
            let _cut = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let watches = request.uri().query().is_some_and(|query| query.contains("watch=true") || query.contains("watch=1"));
    let counter = match *request.method() {
        Method::GET if watches => &shared.watches,
        Method::GET => &shared.reads,
        _ => &shared.writes,
    };
    counter.fetch_add(1, Ordering::Relaxed);
    let expiries = watches.then(|| shared.expiries.subscribe());
    Ok(match forward(&shared.behind, request).await {
        Ok(response) => response.map(|body| with_expiry(body, expiries)),
        Err(error) => {
            eprintln!("proxy: {error:#}");
            let nothing = StreamBody::new(stream::empty());
            let mut response = Response::new(nothing.boxed_unsync());
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        }
    })
}

async fn forward(behind: &Client, request: Request<Incoming>) -> Result<Response<kube::client::Body>> {
    let (mut parts, body) = request.into_parts();
    let body = body.collect().await.context("read a request")?.to_bytes();
    HOPS.iter().for_each(|name| drop(parts.headers.remove(name)));
    let mut response = behind.send(Request::from_parts(parts, body.to_vec().into())).await.context("ask the Kubernetes")?;
    HOPS.iter().for_each(|name| drop(response.headers_mut().remove(name)));
    Ok(response)
}

/// The body, until an expiry of watches.
fn with_expiry(body: kube::client::Body, expiries: Option<watch::Receiver<u64>>) -> Body {
    let frames = BodyStream::new(body);
    let Some(mut expiries) = expiries else { return StreamBody::new(frames).boxed_unsync() };
    let mut expired = expiries.clone();
    let until = frames.take_until(async move { expired.changed().await });
    let last = stream::once(async move {
        let line = expiries.has_changed().unwrap_or_default().then(|| Frame::data(Bytes::from(format!("{EXPIRED}\n"))));
        // The receiver has told; it is not asked again.
        expiries.mark_unchanged();
        line
    });
    StreamBody::new(until.chain(last.filter_map(async |line| line.map(Ok)))).boxed_unsync()
}
