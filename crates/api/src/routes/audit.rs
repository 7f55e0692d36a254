//! `/api/v1/audit`

use axum::{extract::State, response::Response};
use wire::audit::AuditEntry;

use crate::{
    error::Result,
    extract::{Admin, Query},
    page::{PageQuery, page},
    routes,
};

/// Who did what, newest first. Admins only.
#[utoipa::path(get, path = "/api/v1/audit", tag = "operations", operation_id = "audit_list", params(PageQuery), responses((status = 200, body = [AuditEntry])))]
pub(super) async fn list(State(state): State<routes::State>, Admin(caller): Admin, Query(query): Query<PageQuery>) -> Result<Response> {
    let limit = query.limit()?;
    let entries = state.app.audit_list(&caller, query.cursor(), limit).await?;
    let more = entries.last().map(|entry| entry.id);
    Ok(page(entries, "/api/v1/audit", limit, more, ""))
}
