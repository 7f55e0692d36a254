//! `/api/v1/clusters`

use std::time::Duration;

use app::IDEMPOTENCY_KEY_MAX;
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use types::{ClusterId, Error, Operation, UserId};
use utoipa::IntoParams;
use wire::{
    cluster::{BulkResult, Cluster, ClusterAbandoned, ClusterDeleted, ClusterDetail, CreateCluster, StopCluster, UpdateCluster},
    instance::Instance,
};

use crate::{
    error::Result,
    extract::{Auth, Body, Id, OptionalBody, Query, Writer},
    page::{LIMIT_MAX, PageQuery, link_next, page},
    routes::{self, instance::ModeQuery},
};

pub(super) const PATH: &str = "/api/v1/clusters";
/// Header that makes a create repeatable.
pub(super) const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Longest `?wait=`, in seconds.
const WAIT_MAX: u64 = 60;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CreateQuery {
    /// Answer when the cluster has settled, or after so many seconds.
    #[param(minimum = 0, maximum = 60, default = 0)]
    wait: Option<u64>,
}

/// Create a cluster. Answers at once with `pending` instances, or waits for them with `?wait=`.
#[utoipa::path(
    post, path = PATH, tag = "clusters", operation_id = "cluster_create",
    params(CreateQuery, ("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key answers with the same cluster", min_length = 1, max_length = 200)),
    request_body = CreateCluster, responses((status = 201, body = ClusterDetail, headers(("Location" = String))))
)]
pub(super) async fn create(
    State(state): State<routes::State>,
    Writer(caller): Writer,
    Query(query): Query<CreateQuery>,
    headers: HeaderMap,
    Body(request, bytes): Body<CreateCluster>,
) -> Result<Response> {
    let wait = query.wait.unwrap_or(0);
    if wait > WAIT_MAX {
        return Err(Error::field("wait", format!("must be at most {WAIT_MAX} seconds")).into());
    }
    let key = idempotency_key(&headers)?;
    let created = state.app.cluster_create(&caller, request, &bytes, key, Duration::from_secs(wait)).await?;
    let location = format!("{PATH}/{}", created.cluster.cluster.id);
    let mut response = (StatusCode::CREATED, [(header::LOCATION, location)], detail(created.cluster)).into_response();
    if created.replayed {
        response.headers_mut().insert("idempotency-replayed", header::HeaderValue::from_static("true"));
    }
    Ok(response)
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| (1..=IDEMPOTENCY_KEY_MAX).contains(&key.len()));
    Ok(Some(key.ok_or_else(|| Error::field("Idempotency-Key", format!("must have 1 to {IDEMPOTENCY_KEY_MAX} printable ASCII characters")))?))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OwnerQuery {
    /// Clusters of this user only (admins).
    owner: Option<i64>,
}

/// List clusters: one's own; for an admin everybody's.
#[utoipa::path(
    get, path = PATH, tag = "clusters", operation_id = "cluster_list", params(PageQuery, OwnerQuery), responses((status = 200, body = [Cluster]))
)]
pub(super) async fn list(
    State(state): State<routes::State>,
    Auth(caller): Auth,
    Query(query): Query<PageQuery>,
    Query(OwnerQuery { owner }): Query<OwnerQuery>,
) -> Result<Response> {
    let limit = query.limit()?;
    let clusters = state.app.cluster_list(&caller, owner.map(UserId), query.after(), limit).await?;
    let more = clusters.last().map(|cluster| cluster.id.0);
    let kept = owner.map(|owner| format!("&owner={owner}")).unwrap_or_default();
    Ok(page(clusters, PATH, limit, more, &kept))
}

/// A cluster with its instances: the first 500, the others behind `Link`.
#[utoipa::path(
    get, path = "/api/v1/clusters/{cluster_id}", tag = "clusters", operation_id = "cluster_get", params(("cluster_id" = i64, Path)),
    responses((status = 200, body = ClusterDetail))
)]
pub(super) async fn get(State(state): State<routes::State>, Auth(caller): Auth, Id(id): Id<ClusterId>) -> Result<Response> {
    Ok(detail(state.app.cluster_get(&caller, id).await?))
}

/// With the way to the instances that it has no room for.
fn detail(cluster: ClusterDetail) -> Response {
    let shown = i64::try_from(cluster.instances.len()).unwrap_or(i64::MAX);
    let next = format!("{PATH}/{}/instances?limit={LIMIT_MAX}&cursor={shown}", cluster.cluster.id);
    let more = cluster.cluster.instance_count > shown;
    let mut response = Json(cluster).into_response();
    if more {
        link_next(&mut response, &next);
    }
    response
}

/// Change how many instances a cluster has. Fewer removes those with the highest numbers.
#[utoipa::path(
    patch, path = "/api/v1/clusters/{cluster_id}", tag = "clusters", operation_id = "cluster_scale", params(("cluster_id" = i64, Path)),
    request_body = UpdateCluster, responses((status = 200, body = ClusterDetail))
)]
pub(super) async fn scale(
    State(state): State<routes::State>,
    Writer(caller): Writer,
    Id(id): Id<ClusterId>,
    Body(request, _): Body<UpdateCluster>,
) -> Result<Response> {
    Ok(detail(state.app.cluster_scale(&caller, id, request).await?))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DeleteQuery {
    /// Drop it at once, though nothing confirms that it is gone (admins).
    abandon: Option<bool>,
}

/// Delete a cluster: 202 while it goes, 404 when it is gone. Its quota is given back once its compute is gone. An admin may give up
/// one that can never be confirmed gone: `?abandon=true` drops it at once (200) and leaves a record.
#[utoipa::path(
    delete, path = "/api/v1/clusters/{cluster_id}", tag = "clusters", operation_id = "cluster_delete",
    params(("cluster_id" = i64, Path), DeleteQuery),
    responses((status = 202, body = ClusterDeleted), (status = 200, body = ClusterAbandoned))
)]
pub(super) async fn delete(
    State(state): State<routes::State>,
    Writer(caller): Writer,
    Id(id): Id<ClusterId>,
    Query(DeleteQuery { abandon }): Query<DeleteQuery>,
) -> Result<Response> {
    if abandon == Some(true) {
        return Ok(Json(state.app.cluster_abandon(&caller, id).await?).into_response());
    }
    let deleted = state.app.cluster_delete(&caller, id).await?;
    Ok((StatusCode::ACCEPTED, Json(deleted)).into_response())
}

/// Suspend all running instances. VMs keep their memory, containers do not.
#[utoipa::path(
    post, path = "/api/v1/clusters/{cluster_id}/suspend", tag = "clusters", operation_id = "cluster_suspend",
    params(("cluster_id" = i64, Path), ModeQuery), responses((status = 200, body = BulkResult))
)]
pub(super) async fn suspend(
    State(state): State<routes::State>,
    Writer(caller): Writer,
    Id(id): Id<ClusterId>,
    Query(ModeQuery { mode }): Query<ModeQuery>,
) -> Result<Json<BulkResult>> {
    Ok(Json(state.app.cluster_operate(&caller, id, Operation::Suspend, mode.unwrap_or_default(), false).await?))
}

/// Resume all suspended instances, and only those.
#[utoipa::path(
    post, path = "/api/v1/clusters/{cluster_id}/resume", tag = "clusters", operation_id = "cluster_resume",
    params(("cluster_id" = i64, Path), ModeQuery), responses((status = 200, body = BulkResult))
)]
pub(super) async fn resume(
    State(state): State<routes::State>,
    Writer(caller): Writer,
    Id(id): Id<ClusterId>,
    Query(ModeQuery { mode }): Query<ModeQuery>,
) -> Result<Json<BulkResult>> {
    Ok(Json(state.app.cluster_operate(&caller, id, Operation::Resume, mode.unwrap_or_default(), false).await?))
}

/// Start all stopped and failed instances.
#[utoipa::path(
    post, path = "/api/v1/clusters/{cluster_id}/start", tag = "clusters", operation_id = "cluster_start",
    params(("cluster_id" = i64, Path), ModeQuery), responses((status = 200, body = BulkResult))
)]
pub(super) async fn start(
    State(state): State<routes::State>,
    Writer(caller): Writer,
    Id(id): Id<ClusterId>,
    Query(ModeQuery { mode }): Query<ModeQuery>,
) -> Result<Json<BulkResult>> {
    Ok(Json(state.app.cluster_operate(&caller, id, Operation::Start, mode.unwrap_or_default(), false).await?))
}

/// Stop all running and failed instances; with `{"force": true}` all there are. The body may be left out.
#[utoipa::path(
    post, path = "/api/v1/clusters/{cluster_id}/stop", tag = "clusters", operation_id = "cluster_stop",
    params(("cluster_id" = i64, Path), ModeQuery), request_body = Option<StopCluster>, responses((status = 200, body = BulkResult))
)]
pub(super) async fn stop(
    State(state): State<routes::State>,
    Writer(caller): Writer,
    Id(id): Id<ClusterId>,
    Query(ModeQuery { mode }): Query<ModeQuery>,
    OptionalBody(StopCluster { force }): OptionalBody<StopCluster>,
) -> Result<Json<BulkResult>> {
    Ok(Json(state.app.cluster_operate(&caller, id, Operation::Stop, mode.unwrap_or_default(), force).await?))
}

/// The instances of a cluster, by number.
#[utoipa::path(
    get, path = "/api/v1/clusters/{cluster_id}/instances", tag = "clusters", operation_id = "cluster_instances",
    params(("cluster_id" = i64, Path), PageQuery), responses((status = 200, body = [Instance]))
)]
pub(super) async fn instances(
    State(state): State<routes::State>,
    Auth(caller): Auth,
    Id(id): Id<ClusterId>,
    Query(query): Query<PageQuery>,
) -> Result<Response> {
    let limit = query.limit()?;
    let after = i32::try_from(query.after()).unwrap_or(i32::MAX);
    let instances = state.app.instance_list(&caller, id, after, limit).await?;
    let more = i64::try_from(instances.len()).ok().map(|n| i64::from(after) + n);
    Ok(page(instances, &format!("{PATH}/{id}/instances"), limit, more, ""))
}
