//! `/api/v1/instances`, `/api/v1/capabilities`

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use types::{Error, InstanceId};
use utoipa::IntoParams;
use wire::instance::{Capabilities, Event, Instance, Mode, OperateInstance, OperatedInstance};

use crate::{
    error::Result,
    extract::{Auth, Body, Id, Query, Writer},
    routes,
};

/// Most lines of one log answer.
const TAIL_MAX: u32 = 10_000;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ModeQuery {
    /// `strict` refuses to suspend what would lose its memory.
    #[param(inline)]
    pub(super) mode: Option<Mode>,
}

/// An instance.
#[utoipa::path(
    get, path = "/api/v1/instances/{instance_id}", tag = "instances", operation_id = "instance_get", params(("instance_id" = i64, Path)),
    responses((status = 200, body = Instance))
)]
pub(super) async fn get(State(state): State<routes::State>, Auth(caller): Auth, Id(id): Id<InstanceId>) -> Result<Json<Instance>> {
    Ok(Json(state.app.instance_get(&caller, id).await?))
}

/// Start, stop, suspend or resume an instance: 200 when it has arrived, 202 when it hasn't after 10 seconds, 409 when
/// its state does not allow it (with what it does allow).
#[utoipa::path(
    post, path = "/api/v1/instances/{instance_id}/operate", tag = "instances", operation_id = "instance_operate",
    params(("instance_id" = i64, Path), ModeQuery), request_body = OperateInstance,
    responses((status = 200, body = OperatedInstance), (status = 202, body = OperatedInstance))
)]
pub(super) async fn operate(
    State(state): State<routes::State>,
    Writer(caller): Writer,
    Id(id): Id<InstanceId>,
    Query(ModeQuery { mode }): Query<ModeQuery>,
    Body(request, _): Body<OperateInstance>,
) -> Result<Response> {
    let operated = state.app.instance_operate(&caller, id, request.operation, mode.unwrap_or_default(), request.force).await?;
    let status = if operated.settled { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(operated)).into_response())
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LogQuery {
    /// Last so many lines.
    #[param(minimum = 1, maximum = 10000, default = 500)]
    tail: Option<u32>,
    /// Of the run before the last restart.
    previous: Option<bool>,
}

/// What an instance has printed, as text.
#[utoipa::path(
    get, path = "/api/v1/instances/{instance_id}/logs", tag = "instances", operation_id = "instance_logs",
    params(("instance_id" = i64, Path), LogQuery), responses((status = 200, body = String, content_type = "text/plain"))
)]
pub(super) async fn logs(
    State(state): State<routes::State>,
    Auth(caller): Auth,
    Id(id): Id<InstanceId>,
    Query(LogQuery { tail, previous }): Query<LogQuery>,
) -> Result<Response> {
    let tail = tail.unwrap_or(500);
    if !(1..=TAIL_MAX).contains(&tail) {
        return Err(Error::field("tail", format!("must be between 1 and {TAIL_MAX}")).into());
    }
    let text = state.app.instance_logs(&caller, id, tail, previous.unwrap_or(false)).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// What has happened to an instance lately, oldest first.
#[utoipa::path(
    get, path = "/api/v1/instances/{instance_id}/events", tag = "instances", operation_id = "instance_events",
    params(("instance_id" = i64, Path)), responses((status = 200, body = [Event]))
)]
pub(super) async fn events(State(state): State<routes::State>, Auth(caller): Auth, Id(id): Id<InstanceId>) -> Result<Json<Vec<Event>>> {
    Ok(Json(state.app.instance_events(&caller, id).await?))
}

/// What this installation can do, and what suspending means.
#[utoipa::path(get, path = "/api/v1/capabilities", tag = "operations", operation_id = "capabilities", responses((status = 200, body = Capabilities)))]
pub(super) async fn capabilities(State(state): State<routes::State>, Auth(caller): Auth) -> Result<Json<Capabilities>> {
    Ok(Json(state.app.capabilities(&caller)?))
}
