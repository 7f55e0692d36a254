//! Lists, page by page.

use http::Method;
use serde::{Deserialize, de::DeserializeOwned};

use crate::{Member, MemberError, Result, call::Call, member::REQUEST_DEADLINE};

/// Objects asked for at a time.
const PAGE: u32 = 500;
/// Longest continue token or version that is sent back.
const TOKEN_MAX: usize = 4096;

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: DeserializeOwned"))]
struct Page<T> {
    metadata: PageMeta,
    // Go writes an empty list as null.
    items: Option<Vec<T>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct PageMeta {
    resource_version: String,
    #[serde(rename = "continue")]
    go_on: String,
}

/// A list under way.
pub(crate) struct Pages {
    path: String,
    selector: Option<String>,
    limit: u32,
    go_on: String,
    version: String,
    size: usize,
    done: bool,
    unguarded: bool,
}

impl Pages {
    pub(crate) fn new(path: String) -> Self {
        Self { path, selector: None, limit: PAGE, go_on: String::new(), version: String::new(), size: 0, done: false, unguarded: false }
    }

    pub(crate) fn selector(self, selector: &str) -> Self {
        Self { selector: Some(selector.to_owned()), ..self }
    }

    /// For a watch: it has a pause of its own, and must find out when the member is back.
    pub(crate) fn unguarded(self) -> Self {
        Self { unguarded: true, ..self }
    }

    /// The next objects, at most as many as fit an answer; `None` at the end.
    pub(crate) async fn next<T: DeserializeOwned>(&mut self, member: &Member) -> Result<Option<Vec<T>>> {
        while !self.done {
            let bytes = match member.call_bytes(self.call(), REQUEST_DEADLINE).await {
                Ok(bytes) => bytes,
                Err(MemberError::TooLarge(_)) if self.limit > 1 => {
                    self.limit = (self.limit / 8).max(1);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let page: Page<T> = serde_json::from_slice(&bytes).map_err(|e| MemberError::BadAnswer(e.to_string()))?;
            self.size = bytes.len();
            if page.metadata.go_on.len() > TOKEN_MAX || page.metadata.resource_version.len() > TOKEN_MAX {
                return Err(MemberError::BadAnswer("a token of more than 4 kB".to_owned()));
            }
            self.version = page.metadata.resource_version;
            self.go_on = page.metadata.go_on;
            self.done = self.go_on.is_empty();
            return Ok(Some(page.items.unwrap_or_default()));
        }
        Ok(None)
    }

    /// Bytes of the last page.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The version of what was listed, from which a watch goes on.
    pub(crate) fn version(self) -> String {
        self.version
    }

    fn call(&self) -> Call {
        let mut call = Call::new(Method::GET, self.path.clone()).query("limit", self.limit.to_string());
        if let Some(selector) = &self.selector {
            call = call.query("labelSelector", selector.as_str());
        }
        if !self.go_on.is_empty() {
            call = call.query("continue", self.go_on.as_str());
        }
        if self.unguarded { call.unguarded() } else { call }
    }
}
