//! One caller of the product's API.

use anyhow::{Context, Result, bail};
use reqwest::{Client, Method, header::LINK};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Longer than any `?wait=`.
const LIMIT: Duration = Duration::from_secs(90);

#[derive(Clone)]
pub(super) struct Caller {
    http: Client,
    url: String,
    token: String,
}

/// What was answered, and after how long.
pub(super) struct Answer {
    pub(super) body: Value,
    /// The path of the next page.
    pub(super) next: Option<String>,
    pub(super) seconds: f64,
}

impl Caller {
    /// Keeps its connections.
    pub(super) fn new(url: &str, token: &str) -> Result<Self> {
        Self::with(Client::builder(), url, token)
    }

    /// Connects anew for each request.
    pub(super) fn connecting(url: &str, token: &str) -> Result<Self> {
        Self::with(Client::builder().pool_max_idle_per_host(0), url, token)
    }

    fn with(http: reqwest::ClientBuilder, url: &str, token: &str) -> Result<Self> {
        let _installed = rustls::crypto::ring::default_provider().install_default();
        Ok(Self { http: http.no_proxy().timeout(LIMIT).build()?, url: url.to_owned(), token: token.to_owned() })
    }

    /// Somebody else at the same server.
    pub(super) fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// The same at another server.
    pub(super) fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    /// An answer that is no success is an error.
    pub(super) async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer> {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.url)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let started = Instant::now();
        let answer = request.send().await.with_context(|| format!("{method} {path}"))?;
        let status = answer.status();
        let next = answer.headers().get(LINK).and_then(|link| link.to_str().ok()).and_then(next);
        let text = answer.text().await?;
        let seconds = started.elapsed().as_secs_f64();
        if !status.is_success() {
            bail!("{method} {path}: {status}: {text}");
        }
        Ok(Answer { body: serde_json::from_str(&text).unwrap_or_default(), next, seconds })
    }

    pub(super) async fn get(&self, path: &str) -> Result<Answer> {
        self.ask(Method::GET, path, None).await
    }
}

/// The path in `<path>; rel="next"`.
fn next(link: &str) -> Option<String> {
    let (path, parameters) = link.strip_prefix('<')?.split_once('>')?;
    parameters.contains("rel=\"next\"").then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn the_next_page_is_found() {
        assert_eq!(next("</api/v1/clusters?limit=2&cursor=5>; rel=\"next\"").as_deref(), Some("/api/v1/clusters?limit=2&cursor=5"));
        assert_eq!(next("</api>; rel=\"prev\""), None);
    }
}
