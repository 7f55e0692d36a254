//! One request and its answer, within a deadline and a size.
//!
//! Below `kube::Api` on purpose: we need the `Retry-After` header, small answers parsed into small types, and the
//! deadline and the limit around the body too.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header, response::Parts};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::client::Body;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::{ApiFailure, Member, MemberError, Result, breaker::Circuit, error::chain, lines::Lines, text::bounded};

/// Longest answer that is read.
const ANSWER_MAX: usize = 16 << 20;
/// Longest refusal that is read.
const REFUSAL_MAX: usize = 64 << 10;
/// Longest pause that a member may ask for: as long as ours grow by themselves, and well below the grace after which an instance that does
/// not get on is called failed.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(30);

/// Shorter deadlines than this, cut by a lease that ends or by waiting, say nothing of the member when they pass.
const PATIENCE: Duration = Duration::from_secs(1);

/// A request in the making.
pub(crate) struct Call {
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    content_type: &'static str,
    body: Vec<u8>,
    answer_max: usize,
    unguarded: bool,
}

impl Call {
    pub(crate) fn new(method: Method, path: String) -> Self {
        Self { method, path, query: Vec::new(), content_type: "application/json", body: Vec::new(), answer_max: ANSWER_MAX, unguarded: false }
    }

    /// Reads at most so many bytes of the answer.
    pub(crate) fn answer_max(self, bytes: usize) -> Self {
        Self { answer_max: bytes, ..self }
    }

    /// Goes out even while others are held back: for what finds out that the member is back.
    pub(crate) fn unguarded(self) -> Self {
        Self { unguarded: true, ..self }
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(crate) fn body(mut self, content_type: &'static str, body: &impl serde::Serialize) -> Result<Self> {
        self.content_type = content_type;
        self.body = serde_json::to_vec(body).map_err(|e| MemberError::BadAnswer(format!("cannot serialize: {e}")))?;
        Ok(self)
    }
}

impl Member {
    /// Sends and parses the answer.
    pub(crate) async fn call<T: DeserializeOwned>(&self, call: Call, deadline: Duration) -> Result<T> {
        let bytes = self.call_bytes(call, deadline).await?;
        serde_json::from_slice(&bytes).map_err(|e| MemberError::BadAnswer(e.to_string()))
    }

    /// Sends and returns the answer as it is.
    pub(crate) async fn call_bytes(&self, call: Call, deadline: Duration) -> Result<Vec<u8>> {
        if call.unguarded {
            return self.call_unguarded(call, deadline).await;
        }
        let ends = Instant::now() + deadline;
        let circuit = Circuit::of(&call.path, call.method != Method::GET);
        let permit = match tokio::time::timeout_at(ends, self.breaker.admit(&circuit)).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(again)) => return Err(MemberError::Suspended { group: circuit.group.clone(), again }),
            Err(_) => return Err(MemberError::Suspended { group: circuit.group.clone(), again: PATIENCE }),
        };
        let left = ends.saturating_duration_since(Instant::now());
        let result = self.call_unguarded(call, left).await;
        if !result.as_ref().is_err_and(MemberError::is_silence) {
            permit.answered();
        } else if left >= PATIENCE
            && let Some(pause) = permit.silent()
        {
            let Circuit { group, writes } = &circuit;
            tracing::warn!(member = self.name(), group, writes, pause = pause.as_secs_f32(), "no answers: calls are held back");
            metrics::counter!("kubekcloud_member_breaker_opened_total", "member" => self.name().to_owned(), "group" => group.clone()).increment(1);
        }
        result
    }

    async fn call_unguarded(&self, call: Call, deadline: Duration) -> Result<Vec<u8>> {
        let result = match tokio::time::timeout(deadline, self.exchange(call)).await {
            Ok(result) => result,
            Err(_) => Err(MemberError::Timeout(deadline)),
        };
        self.reach.note(result.as_ref().err());
        result
    }

    /// Sends and returns the answer line by line, each of at most so many bytes. The deadline ends with its head.
    pub(crate) async fn call_lines(&self, call: Call, deadline: Duration, line_max: usize) -> Result<Lines> {
        let group = Circuit::of(&call.path, false).group;
        let begun = async {
            let (head, body) = self.send(call, "identity").await?;
            match head.status.is_success() {
                true => Ok(Lines::new(body.into_data_stream(), line_max)),
                false => Err(refusal(&head, &collect(body, REFUSAL_MAX).await?)),
            }
        };
        let result = match tokio::time::timeout(deadline, begun).await {
            Ok(result) => result,
            Err(_) => Err(MemberError::Timeout(deadline)),
        };
        if result.is_ok() {
            self.breaker.probe_soon(&group);
        }
        self.reach.note(result.as_ref().err());
        result
    }

    async fn exchange(&self, call: Call) -> Result<Vec<u8>> {
        let answer_max = call.answer_max;
        let (head, body) = self.send(call, "gzip").await?;
        if head.status.is_success() {
            return Ok(collect(body, answer_max).await?.into());
        }
        Err(refusal(&head, &collect(body, REFUSAL_MAX).await?))
    }

    async fn send(&self, call: Call, encoding: &'static str) -> Result<(Parts, Body)> {
        let Call { method, path, query, content_type, body, answer_max: _, unguarded: _ } = call;
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let uri = if query.is_empty() { path } else { format!("{path}?{query}") };
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header(header::CONTENT_TYPE, content_type)
            // KubeVirt's subresources produce nothing, and refuse those who accept only JSON.
            .header(header::ACCEPT, "application/json, */*")
            .header(header::ACCEPT_ENCODING, encoding)
            .body(Body::from(body))
            .map_err(|e| MemberError::BadAnswer(format!("cannot build the request: {e}")))?;
        let response = self.client.send(request).await.map_err(|e| transport(&e))?;
        Ok(response.into_parts())
    }
}

async fn collect(body: Body, most: usize) -> Result<Bytes> {
    match Limited::new(body, most).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(MemberError::TooLarge(most)),
        Err(error) => Err(MemberError::Unreachable(chain(&*error))),
    }
}

/// Reads a refusal: a Status object, or plain text from whatever stands before the API server.
fn refusal(head: &Parts, body: &[u8]) -> MemberError {
    let code = head.status.as_u16();
    let header = head.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let retry_after = header.map(Duration::from_secs);
    let failure = match serde_json::from_slice::<Status>(body) {
        Ok(status) => {
            let asked = status.details.and_then(|details| details.retry_after_seconds);
            let asked = asked.and_then(|seconds| u64::try_from(seconds).ok()).filter(|seconds| *seconds > 0);
            ApiFailure {
                code,
                reason: bounded(status.reason),
                message: bounded(Some(status.message.unwrap_or_else(|| format!("HTTP {code}")))),
                retry_after: retry_after.or(asked.map(Duration::from_secs)).map(capped),
            }
        }
        Err(_) => {
            let text = bounded(Some(String::from_utf8_lossy(body).trim().to_owned()));
            let message = if text.is_empty() { format!("HTTP {code}") } else { format!("HTTP {code}: {text}") };
            ApiFailure { code, reason: String::new(), message, retry_after: retry_after.map(capped) }
        }
    };
    MemberError::Api(Box::new(failure))
}

fn capped(pause: Duration) -> Duration {
    pause.min(RETRY_AFTER_MAX)
}

/// Sorts an error of the connection.
pub(crate) fn transport(error: &kube::Error) -> MemberError {
    match error {
        kube::Error::Api(status) => MemberError::Api(Box::new(ApiFailure {
            code: status.code,
            reason: bounded(Some(status.reason.clone())),
            message: bounded(Some(status.message.clone())),
            retry_after: None,
        })),
        kube::Error::Auth(e) => MemberError::Config(chain(e)),
        other => MemberError::Unreachable(chain(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: u16, retry_after: Option<&str>, body: &str) -> ApiFailure {
        let mut response = http::Response::builder().status(code);
        if let Some(value) = retry_after {
            response = response.header(header::RETRY_AFTER, value);
        }
        match refusal(&response.body(()).unwrap().into_parts().0, body.as_bytes()) {
            MemberError::Api(failure) => *failure,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_member_cannot_ask_for_a_pause_without_end() {
        let status = r#"{"kind": "Status", "details": {"retryAfterSeconds": 2000000000}}"#;
        let seconds = |header, body| refused(503, header, body).retry_after.map(|pause| pause.as_secs());
        assert_eq!(seconds(Some("18446744073709551615"), "busy"), Some(30));
        assert_eq!(seconds(Some("31536000"), status), Some(30));
        assert_eq!(seconds(None, status), Some(30));
        assert_eq!(seconds(Some("7"), status), Some(7));
        assert_eq!(seconds(None, r#"{"kind": "Status", "details": {"retryAfterSeconds": -1}}"#), None);
        for nonsense in ["-1", "1e9", "99999999999999999999", "Wed, 21 Oct 2026 07:28:00 GMT"] {
            assert_eq!(seconds(Some(nonsense), ""), None, "{nonsense}");
        }
    }
}
