//! Stands before a Kubernetes and refuses what a test says.

use std::{convert::Infallible, path::Path, sync::Arc};

use http::{Method, Request, Response, header};
use http_body_util::BodyExt as _;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use kube::client::Body;
use serde_json::json;
use tokio::{net::TcpListener, task::JoinHandle};

/// What is refused, with its status and message.
pub(crate) type Rule = dyn Fn(&Method, &str) -> Option<(u16, &'static str)> + Send + Sync;

/// Ends when dropped.
pub(crate) struct Proxy {
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// Before the Kubernetes of one kubeconfig, for the users of the other, which is written.
    pub(crate) async fn start(before: &Path, kubeconfig: &Path, rule: Arc<Rule>) -> Self {
        let config = kube::config::Kubeconfig::read_from(before).unwrap();
        let config = kube::Config::from_custom_kubeconfig(config, &kube::config::KubeConfigOptions::default()).await.unwrap();
        let client = kube::Client::try_from(config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let text = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "proxy",
            "clusters": [{"name": "proxy", "cluster": {"server": format!("http://{}", listener.local_addr().unwrap())}}],
            "users": [{"name": "proxy", "user": {}}],
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}],
        });
        std::fs::write(kubeconfig, text.to_string()).unwrap();
        let task = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                let (client, rule) = (client.clone(), rule.clone());
                let service = service_fn(move |request| answer(client.clone(), rule.clone(), request));
                tokio::spawn(async move { auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await });
            }
        });
        Self { task }
    }
}

async fn answer(client: kube::Client, rule: Arc<Rule>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    if let Some((code, message)) = rule(&head.method, head.uri.path()) {
        let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": "Forbidden", "message": message});
        return Ok(Response::builder().status(code).body(Body::from(status.to_string().into_bytes())).unwrap());
    }
    let body = body.collect().await.unwrap().to_bytes();
    let mut onward = Request::builder().method(head.method).uri(head.uri);
    for name in [header::CONTENT_TYPE, header::ACCEPT] {
        if let Some(value) = head.headers.get(&name) {
            onward = onward.header(name, value);
        }
    }
    match client.send(onward.body(Body::from(body.to_vec())).unwrap()).await {
        Ok(response) => Ok(response),
        Err(error) => Ok(Response::builder().status(502).body(Body::from(error.to_string().into_bytes())).unwrap()),
    }
}
