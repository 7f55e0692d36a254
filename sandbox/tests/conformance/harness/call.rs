//! One request, raw, and its normalized answer.

use std::future::IntoFuture;
use std::pin::Pin;

use futures::StreamExt;
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value, json};

use super::talk::Talk;

/// The sandbox says this with every write; a test of its own sees to it.
const SANDBOX_WARNING: &str = "KubeKCloud sandbox";

/// A request in the making; `.await` sends it.
pub(crate) struct Call<'t> {
    talk: &'t mut Talk,
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    shown: Value,
    who: Who,
    quiet: bool,
    any: bool,
    managed_fields: bool,
    only: Option<&'static [&'static str]>,
}

enum Who {
    Admin,
    Stranger,
    Nobody,
}

/// An answer as it came; the transcript has it normalized.
pub(crate) struct Answer {
    pub(crate) code: u16,
    /// Null unless it was JSON.
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl<'t> Call<'t> {
    pub(super) fn new(talk: &'t mut Talk, method: &'static str, path: &str) -> Self {
        let headers = vec![("user-agent", "conformance/1".to_owned())];
        let (path, body, shown) = (path.to_owned(), vec![], Value::Null);
        Call { talk, method, path, headers, body, shown, who: Who::Admin, quiet: false, any: false, managed_fields: false, only: None }
    }

    pub(crate) fn json(mut self, body: Value) -> Self {
        self.body = serde_json::to_vec(&body).expect("JSON");
        self.shown = body;
        self.content_type("application/json")
    }

    /// A body of whatever kind.
    pub(crate) fn raw(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let text = String::from_utf8_lossy(&self.body);
        self.shown = if text.len() > 1000 { json!(format!("{} bytes", text.len())) } else { json!(text) };
        self.content_type(content_type)
    }

    pub(crate) fn content_type(self, content_type: &str) -> Self {
        self.header("content-type", content_type)
    }

    pub(crate) fn accept(self, accept: &str) -> Self {
        self.header("accept", accept)
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(n, _)| *n != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    /// With a token that nobody has.
    pub(crate) fn by_stranger(mut self) -> Self {
        self.who = Who::Stranger;
        self
    }

    /// Without credentials.
    pub(crate) fn by_nobody(mut self) -> Self {
        self.who = Who::Nobody;
        self
    }

    /// Not recorded, and must succeed unless [`Call::any`].
    pub(crate) fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// A quiet one may fail.
    pub(crate) fn any(mut self) -> Self {
        self.any = true;
        self
    }

    /// Records who owns which field as well, which mostly would be noise.
    pub(crate) fn with_managed_fields(mut self) -> Self {
        self.managed_fields = true;
        self
    }

    /// Records only these parts of the body (JSON pointers): the others change while one looks.
    pub(crate) fn only(mut self, pointers: &'static [&'static str]) -> Self {
        self.only = Some(pointers);
        self
    }

    async fn send(self) -> Answer {
        let talk = self.talk;
        let body = match String::from_utf8(self.body) {
            Ok(text) => talk.normal.fill(&text).into_bytes(),
            Err(raw) => raw.into_bytes(),
        };
        let mut request = http::Request::builder().method(self.method).uri(talk.normal.fill(&self.path));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let client = match self.who {
            Who::Admin => &talk.client,
            Who::Stranger => &talk.stranger,
            Who::Nobody => &talk.anonymous,
        };
        let answer = client.send(request.body(Body::from(body)).expect("a request")).await.expect("an answer");
        let (head, body) = answer.into_parts();
        let bytes = body.collect().await.expect("a whole answer").to_bytes();
        let header = |name: &str| head.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        let warnings: Vec<&str> =
            head.headers.get_all("warning").iter().filter_map(|v| v.to_str().ok()).filter(|w| !w.contains(SANDBOX_WARNING)).collect();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let answer = Answer { code: head.status.as_u16(), body: serde_json::from_slice(&bytes).unwrap_or_default(), text };
        if self.quiet {
            assert!(self.any || answer.code < 300, "{} {}: {} {}", self.method, self.path, answer.code, answer.text);
            return answer;
        }
        let said = if answer.body.is_null() { json!(answer.text) } else { answer.body.clone() };
        let said = match self.only {
            Some(pointers) => pointers.iter().map(|p| ((*p).to_owned(), said.pointer(p).cloned().unwrap_or_default())).collect(),
            None => said,
        };
        let request = talk.normal.value(json!(format!("{} {}", self.method, self.path)), false);
        let mut step = json!({"request": request, "code": answer.code, "body": talk.normal.value(said, self.managed_fields)});
        for (name, value) in &self.headers {
            match *name {
                "accept" => step["accept"] = json!(value),
                "content-type" if value != "application/json" => step["sent-type"] = json!(value),
                _ => {}
            }
        }
        if !self.shown.is_null() {
            step["sent"] = talk.normal.value(self.shown, self.managed_fields);
        }
        if header("content-type") != "application/json" {
            step["type"] = json!(header("content-type"));
        }
        if !warnings.is_empty() {
            step["warnings"] = talk.normal.value(json!(warnings), false);
        }
        talk.steps.push(step);
        answer
    }
}

impl<'t> IntoFuture for Call<'t> {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + 't>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

pub(super) async fn watch(talk: &mut Talk, path: &str, count: usize) -> Vec<Value> {
    let request = http::Request::get(talk.normal.fill(path)).header("user-agent", "conformance/1").body(Body::empty()).expect("a request");
    let answer = talk.client.send(request).await.expect("an answer");
    let code = answer.status().as_u16();
    let mut pieces = answer.into_body().into_data_stream();
    let (mut events, mut text) = (Vec::new(), Vec::new());
    while events.len() < count {
        let Some(piece) = pieces.next().await else { break };
        text.extend_from_slice(&piece.expect("a piece"));
        while let Some(end) = text.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = text.drain(..=end).collect();
            let event: Value = serde_json::from_slice(&line).expect("an event");
            if event["type"] != "BOOKMARK" || path.contains("sendInitialEvents") {
                events.push(event);
            }
        }
    }
    if !text.is_empty() {
        events.push(serde_json::from_slice(&text).unwrap_or_default());
    }
    events.truncate(count);
    let shown = talk.normal.value(json!(events), false);
    let request = talk.normal.value(json!(format!("WATCH {path}")), false);
    talk.steps.push(json!({"request": request, "code": code, "events": shown}));
    events
}
