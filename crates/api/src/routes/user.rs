//! `/api/v1/users`

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use types::UserId;
use wire::user::{CreateUser, CreatedUser, NewToken, Quota, RotateToken, UpdateUser, User};

use crate::{
    error::Result,
    extract::{Admin, Auth, Body, Id, OptionalBody, Query, SignUp},
    page::{PageQuery, page},
    routes,
};

const PATH: &str = "/api/v1/users";

/// Create a user. Needs an admin's token, except where sign-up is open (`dev`).
#[utoipa::path(
    post, path = PATH, tag = "users", operation_id = "user_create", security((), ("bearer" = [])), request_body = CreateUser,
    responses((status = 201, body = CreatedUser, headers(("Location" = String))))
)]
pub(super) async fn create(State(state): State<routes::State>, SignUp(caller): SignUp, Body(request, _): Body<CreateUser>) -> Result<Response> {
    let created = state.app.user_create(caller.as_ref(), request).await?;
    let location = format!("{PATH}/{}", created.user.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(created)).into_response())
}

/// List all users. Admins only.
#[utoipa::path(get, path = PATH, tag = "users", operation_id = "user_list", params(PageQuery), responses((status = 200, body = [User])))]
pub(super) async fn list(State(state): State<routes::State>, Admin(caller): Admin, Query(query): Query<PageQuery>) -> Result<Response> {
    let limit = query.limit()?;
    let users = state.app.user_list(&caller, query.after(), limit).await?;
    let more = users.last().map(|user| user.id.0);
    Ok(page(users, PATH, limit, more, ""))
}

/// The caller.
#[utoipa::path(get, path = "/api/v1/users/me", tag = "users", operation_id = "user_me", responses((status = 200, body = User)))]
pub(super) async fn me(State(state): State<routes::State>, Auth(caller): Auth) -> Result<Json<User>> {
    Ok(Json(state.app.user_get(&caller, caller.user.id).await?))
}

/// What the caller may take, and takes.
#[utoipa::path(get, path = "/api/v1/users/me/quota", tag = "users", operation_id = "user_quota", responses((status = 200, body = Quota)))]
pub(super) async fn quota(State(state): State<routes::State>, Auth(caller): Auth) -> Result<Json<Quota>> {
    Ok(Json(state.app.quota_get(&caller).await?))
}

/// A user: oneself, or anybody for an admin.
#[utoipa::path(
    get, path = "/api/v1/users/{user_id}", tag = "users", operation_id = "user_get", params(("user_id" = i64, Path)),
    responses((status = 200, body = User))
)]
pub(super) async fn get(State(state): State<routes::State>, Auth(caller): Auth, Id(id): Id<UserId>) -> Result<Json<User>> {
    Ok(Json(state.app.user_get(&caller, id).await?))
}

/// Change a user's quota, role or access. Admins only.
#[utoipa::path(
    patch, path = "/api/v1/users/{user_id}", tag = "users", operation_id = "user_update", params(("user_id" = i64, Path)), request_body = UpdateUser,
    responses((status = 200, body = User))
)]
pub(super) async fn update(
    State(state): State<routes::State>,
    Admin(caller): Admin,
    Id(id): Id<UserId>,
    Body(request, _): Body<UpdateUser>,
) -> Result<Json<User>> {
    Ok(Json(state.app.user_update(&caller, id, request).await?))
}

/// Remove a user who has no clusters. Admins only.
#[utoipa::path(
    delete, path = "/api/v1/users/{user_id}", tag = "users", operation_id = "user_delete", params(("user_id" = i64, Path)),
    responses((status = 204, description = "Gone"))
)]
pub(super) async fn delete(State(state): State<routes::State>, Admin(caller): Admin, Id(id): Id<UserId>) -> Result<StatusCode> {
    state.app.user_delete(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a user a new token; the former one is worth nothing from then on. The body may be left out.
#[utoipa::path(
    post, path = "/api/v1/users/{user_id}/token", tag = "users", operation_id = "user_rotate_token", params(("user_id" = i64, Path)),
    request_body = Option<RotateToken>, responses((status = 200, body = NewToken))
)]
pub(super) async fn rotate_token(
    State(state): State<routes::State>,
    Auth(caller): Auth,
    Id(id): Id<UserId>,
    OptionalBody(request): OptionalBody<RotateToken>,
) -> Result<Json<NewToken>> {
    Ok(Json(state.app.token_rotate(&caller, id, request).await?))
}
