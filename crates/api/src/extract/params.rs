//! Path and query parameters.

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use serde::de::DeserializeOwned;
use types::Error;

use crate::{error::ApiError, state::State};

/// The one id of a path.
pub(crate) struct Id<T>(pub(crate) T);

impl<T: From<i64>> FromRequestParts<State> for Id<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        let Path(values) = Path::<Vec<(String, String)>>::from_request_parts(parts, state)
            .await
            .map_err(|_| Error::Malformed("The path holds bytes that are not UTF-8".into()))?;
        let Some((name, text)) = values.into_iter().next() else { return Err(Error::internal("a route without its parameter").into()) };
        let id = text.parse::<i64>().map_err(|_| Error::field(name, "must be an integer"))?;
        Ok(Self(T::from(id)))
    }
}

/// The query string.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<State> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        let query = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        query.map(|axum::extract::Query(value)| Self(value)).map_err(|rejection| {
            let text = rejection.body_text();
            let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            let (field, message) = text.split_once(": ").unwrap_or(("query", text));
            Error::field(field, message).into()
        })
    }
}
