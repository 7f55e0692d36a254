//! One request and its answer, within a deadline.
//!
//! Below `kube::Api` on purpose: we need the `Retry-After` header, small answers parsed into small types, and the
//! deadline around the body too.

use std::time::Duration;

use http::{Method, Request, header};
use http_body_util::BodyExt as _;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use serde::de::DeserializeOwned;

use crate::{ApiFailure, Member, MemberError, Result, text::bounded};

/// A request in the making.
pub(crate) struct Call {
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    content_type: &'static str,
    body: Vec<u8>,
}

impl Call {
    pub(crate) fn new(method: Method, path: String) -> Self {
        Self { method, path, query: Vec::new(), content_type: "application/json", body: Vec::new() }
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
        let result = match tokio::time::timeout(deadline, self.exchange(call)).await {
            Ok(result) => result,
            Err(_) => Err(MemberError::Timeout(deadline)),
        };
        self.remember_answer(result.as_ref().err());
        result
    }

    async fn exchange(&self, call: Call) -> Result<Vec<u8>> {
        let Call { method, path, query, content_type, body } = call;
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let uri = if query.is_empty() { path } else { format!("{path}?{query}") };
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header(header::CONTENT_TYPE, content_type)
            // KubeVirt's subresources produce nothing, and refuse those who accept only JSON.
            .header(header::ACCEPT, "application/json, */*")
            .body(kube::client::Body::from(body))
            .map_err(|e| MemberError::BadAnswer(format!("cannot build the request: {e}")))?;
        let response = self.client.send(request).await.map_err(|e| transport(&e))?;
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.map_err(|e| MemberError::Unreachable(chain(&e)))?.to_bytes();
        if head.status.is_success() {
            return Ok(bytes.into());
        }
        let retry_after = head.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        Err(refusal(head.status.as_u16(), &bytes, retry_after.map(Duration::from_secs)))
    }
}

/// Reads a refusal: a Status object, or plain text from whatever stands before the API server.
fn refusal(code: u16, body: &[u8], retry_after: Option<Duration>) -> MemberError {
    let failure = match serde_json::from_slice::<Status>(body) {
        Ok(status) => {
            let asked = status.details.and_then(|details| details.retry_after_seconds);
            let asked = asked.and_then(|seconds| u64::try_from(seconds).ok()).filter(|seconds| *seconds > 0);
            ApiFailure {
                code,
                reason: bounded(status.reason),
                message: bounded(Some(status.message.unwrap_or_else(|| format!("HTTP {code}")))),
                retry_after: retry_after.or(asked.map(Duration::from_secs)),
            }
        }
        Err(_) => {
            let text = bounded(Some(String::from_utf8_lossy(body).trim().to_owned()));
            let message = if text.is_empty() { format!("HTTP {code}") } else { format!("HTTP {code}: {text}") };
            ApiFailure { code, reason: String::new(), message, retry_after }
        }
    };
    MemberError::Api(Box::new(failure))
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

/// An error with its causes, each said once.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
