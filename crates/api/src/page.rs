//! Pages of lists: bare arrays, with the way to the next page in `Link`.

use axum::{
    Json,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

/// Most rows of one page, and how many there are when nobody says.
pub(crate) const LIMIT_MAX: u64 = 500;

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// Most rows to answer with.
    #[param(minimum = 1, maximum = 500, default = 500)]
    limit: Option<u64>,
    /// Where to go on: from the `Link` of the page before.
    #[param(minimum = 0)]
    cursor: Option<i64>,
}

impl PageQuery {
    /// Rows behind this id.
    pub(crate) fn after(&self) -> i64 {
        self.cursor().unwrap_or(0)
    }

    /// Where the page starts, if it isn't the first.
    pub(crate) fn cursor(&self) -> Option<i64> {
        self.cursor
    }

    /// How many rows; refuses a page that is out of bounds.
    pub(crate) fn limit(&self) -> Result<u64, types::Error> {
        if self.after() < 0 {
            return Err(types::Error::field("cursor", "must not be negative"));
        }
        let limit = self.limit.unwrap_or(LIMIT_MAX);
        if (1..=LIMIT_MAX).contains(&limit) { Ok(limit) } else { Err(types::Error::field("limit", format!("must be between 1 and {LIMIT_MAX}"))) }
    }
}

/// A page of rows. `more` is the cursor behind its last row, given when the page is full. `kept` are the other parameters of the query.
pub(crate) fn page<T: Serialize>(rows: Vec<T>, path: &str, limit: u64, more: Option<i64>, kept: &str) -> Response {
    let full = u64::try_from(rows.len()).is_ok_and(|n| n >= limit);
    let mut response = Json(rows).into_response();
    if let Some(cursor) = more.filter(|_| full) {
        link_next(&mut response, &format!("{path}?limit={limit}&cursor={cursor}{kept}"));
    }
    response
}

/// Says where the next page is.
pub(crate) fn link_next(response: &mut Response, target: &str) {
    if let Ok(value) = HeaderValue::from_str(&format!("<{target}>; rel=\"next\"")) {
        response.headers_mut().insert(header::LINK, value);
    }
}
