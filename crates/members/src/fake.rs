//! An API server of a few lines, which answers as a test says.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream::BoxStream};
use http::{Request, Response};
use http_body_util::StreamBody;
use hyper::{
    body::{Frame, Incoming},
    service::service_fn,
};
use hyper_util::{rt::TokioExecutor, rt::TokioIo, server::conn::auto};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{Identity, Member};

pub(crate) struct Answer {
    status: u16,
    body: BoxStream<'static, Bytes>,
}

impl Answer {
    pub(crate) fn json(value: &Value) -> Self {
        Self::text(200, value.to_string())
    }

    pub(crate) fn text(status: u16, text: impl Into<String>) -> Self {
        let text = Bytes::from(text.into());
        Self { status, body: futures::stream::once(async { text }).boxed() }
    }

    pub(crate) fn refusal(status: u16, reason: &str, message: &str) -> Self {
        let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status, "reason": reason, "message": message});
        Self::text(status, body.to_string())
    }

    pub(crate) fn stream(pieces: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        Self { status: 200, body: pieces.boxed() }
    }

    pub(crate) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// Lines, and then silence.
    pub(crate) fn lines(lines: &[Value]) -> Self {
        let lines: Vec<_> = lines.iter().map(|line| Bytes::from(format!("{line}\n"))).collect();
        Self::stream(futures::stream::iter(lines).chain(futures::stream::pending()))
    }

    /// The head, and then nothing.
    pub(crate) fn hang() -> Self {
        Self::stream(futures::stream::pending())
    }

    /// Data without an end.
    pub(crate) fn endless() -> Self {
        Self::stream(futures::stream::repeat(Bytes::from(vec![b'x'; 64 << 10])))
    }
}

/// A request as a test sees it: `GET /api/v1/pods?limit=1`.
pub(crate) struct Asked(pub(crate) String);

impl Asked {
    pub(crate) fn is(&self, start: &str) -> bool {
        self.0.starts_with(start)
    }

    pub(crate) fn has(&self, part: &str) -> bool {
        self.0.contains(part)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.split('?').next().unwrap_or_default()
    }

    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.0.split_once('?')?;
        url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// Ends when dropped.
pub(crate) struct Fake {
    pub(crate) member: Arc<Member>,
    task: JoinHandle<()>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Fake {
    pub(crate) async fn start(answer: impl Fn(Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let answer = Arc::new(answer);
        let task = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                let answer = answer.clone();
                let service = service_fn(move |request: Request<Incoming>| {
                    let Answer { status, body } = answer(Asked(format!("{} {}", request.method(), request.uri())));
                    let response = Response::builder().status(status);
                    let body = StreamBody::new(body.map(|piece| Ok::<_, Infallible>(Frame::data(piece))));
                    async { response.body(body) }
                });
                tokio::spawn(async move { auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await });
            }
        });
        let member = Member::from_config(Identity { name: "fake".into(), ..Identity::local() }, kube::Config::new(url)).unwrap();
        Self { member: Arc::new(member), task }
    }
}
