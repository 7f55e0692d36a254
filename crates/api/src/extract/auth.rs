//! Who is asking, and whether they may ask such a thing at all.
//!
//! Extractors of a handler run in their order and its body comes last: who may not do a thing is refused before a byte of the
//! body is read. The rules are [`app`]'s; it asks them again where it carries them out.

use app::{Action, Caller};
use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use types::{Error, Secret};

use crate::{budget::Held, error::ApiError, request_id, state::State};

/// An authenticated caller. A handler that has one can't be reached without a credential.
pub(crate) struct Auth(pub(crate) Caller);

/// A caller who may be nobody. A credential that is no good is still refused.
pub(crate) struct MaybeAuth(pub(crate) Option<Caller>);

/// A caller who may change things.
pub(crate) struct Writer(pub(crate) Caller);

/// An admin.
pub(crate) struct Admin(pub(crate) Caller);

/// Somebody who may create users: an admin, or anybody where sign-up is open.
pub(crate) struct SignUp(pub(crate) Option<Caller>);

impl FromRequestParts<State> for Writer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        let Auth(caller) = Auth::from_request_parts(parts, state).await?;
        caller.may(Action::InstanceOperate)?;
        Ok(Self(caller))
    }
}

impl FromRequestParts<State> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        let Auth(caller) = Auth::from_request_parts(parts, state).await?;
        caller.may(Action::UserUpdate)?;
        Ok(Self(caller))
    }
}

impl FromRequestParts<State> for SignUp {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        let MaybeAuth(caller) = MaybeAuth::from_request_parts(parts, state).await?;
        state.app.may_sign_up(caller.as_ref())?;
        Ok(Self(caller))
    }
}

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
        let caller = match state.app.authenticate(&Secret::new(token)).await {
            Ok(caller) => caller,
            Err(error @ Error::Unauthenticated(_)) => return Err(refuse(parts, state, error).await.into()),
            Err(error) => return Err(error.into()),
        };
        Held::keep(parts, state.budget.request_of(caller.user.id)?);
        parts.extensions.insert(caller.user.id);
        let address = state.sign_ins.address(parts).map(|address| address.to_string());
        Ok(Self(Some(caller.asking(Some(request_id::current()), address))))
    }
}

/// What a failed sign-in is answered with. Who guesses is written down: once when it begins, once when it does not end.
async fn refuse(parts: &Parts, state: &State, error: Error) -> Error {
    if let Some((address, times)) = state.sign_ins.count(parts)
        && let Err(error) = state.app.sign_in_failed(address.to_string(), request_id::current(), times).await
    {
        tracing::warn!(%address, %error, "cannot record that sign-ins fail");
    }
    state.sign_ins.slow_down(parts, error).await
}
