//! Who is asking.

use app::Caller;
use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use types::{Error, Secret};

use crate::{error::ApiError, state::State};

/// An authenticated caller. A handler that has one can't be reached without a credential.
pub(crate) struct Auth(pub(crate) Caller);

/// A caller who may be nobody. A credential that is no good is still refused.
pub(crate) struct MaybeAuth(pub(crate) Option<Caller>);

impl FromRequestParts<State> for Auth {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        let MaybeAuth(caller) = MaybeAuth::from_request_parts(parts, state).await?;
        Ok(Self(caller.ok_or(Error::Unauthenticated("Missing header 'Authorization: Bearer <token>'"))?))
    }
}

impl FromRequestParts<State> for MaybeAuth {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        let mut given = parts.headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = given.next() else { return Ok(Self(None)) };
        const MALFORMED: Error = Error::Unauthenticated("Malformed header: expected 'Authorization: Bearer <token>'");
        if given.next().is_some() {
            return Err(MALFORMED.into());
        }
        let text = value.to_str().map_err(|_| MALFORMED)?;
        let (scheme, token) = text.split_once(' ').ok_or(MALFORMED)?;
        let token = token.trim();
        if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
            return Err(MALFORMED.into());
        }
        Ok(Self(Some(state.app.authenticate(&Secret::new(token)).await?)))
    }
}
