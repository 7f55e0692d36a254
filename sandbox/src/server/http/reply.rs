//! Answers.

use std::convert::Infallible;

use bytes::Bytes;
use futures::Stream;
use http::{HeaderValue, header};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use serde_json::Value;

use crate::machinery::status::Refusal;

pub(crate) type Reply = http::Response<UnsyncBoxBody<Bytes, Infallible>>;

const WARNING: &str = "299 - \"this is the KubeKCloud sandbox: a simulation, nothing really runs\"";

fn with(code: u16, content_type: &str, body: UnsyncBoxBody<Bytes, Infallible>) -> Reply {
    let mut reply = http::Response::new(body);
    *reply.status_mut() = http::StatusCode::from_u16(code).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(value) = HeaderValue::from_str(content_type) {
        reply.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    reply
}

pub(crate) fn json(code: u16, body: &Value) -> Reply {
    json_as(code, "application/json", body)
}

pub(crate) fn json_as(code: u16, content_type: &str, body: &Value) -> Reply {
    let text = serde_json::to_vec(body).unwrap_or_default();
    with(code, content_type, Full::new(Bytes::from(text)).boxed_unsync())
}

pub(crate) fn text(code: u16, body: impl Into<Bytes>) -> Reply {
    with(code, "text/plain; charset=utf-8", Full::new(body.into()).boxed_unsync())
}

pub(crate) fn bytes(code: u16, content_type: &str, body: Bytes) -> Reply {
    with(code, content_type, Full::new(body).boxed_unsync())
}

pub(crate) fn empty(code: u16) -> Reply {
    http::Response::builder().status(code).body(Full::default().boxed_unsync()).unwrap_or_else(|_| text(500, ""))
}

pub(crate) fn refused(refusal: &Refusal) -> Reply {
    json(refusal.code, &refusal.to_value())
}

/// A body that comes piece by piece; its head goes out at once.
pub(crate) fn stream(content_type: &str, pieces: impl Stream<Item = Bytes> + Send + 'static) -> Reply {
    use futures::StreamExt;
    let frames = pieces.map(|piece| Ok(Frame::data(piece)));
    with(200, content_type, BodyExt::boxed_unsync(StreamBody::new(frames)))
}

/// Says what answered; kubectl prints it.
pub(crate) fn warn(reply: &mut Reply) {
    reply.headers_mut().append(header::WARNING, HeaderValue::from_static(WARNING));
}

/// Tells what was wrong with a body that was taken nevertheless.
pub(crate) fn tell(reply: &mut Reply, warnings: &[String]) {
    for warning in warnings {
        let quoted = warning.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{quoted}\"")) {
            reply.headers_mut().append(header::WARNING, value);
        }
    }
}
