//! The OpenAPI document: what `/openapi.json` serves and `openapi/kubekcloud.json` holds.

use utoipa::{
    Modify, OpenApi,
    openapi::{
        Content, RefOr, Response, ResponseBuilder,
        path::Operation,
        security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "KubeKCloud",
        description = "Clusters of identical containers or VMs for tenants, within quota, on Kubernetes.\n\n\
                       CPU is given in cores, memory and storage in GiB. Paths work with and without a trailing slash.",
    ),
    components(schemas(wire::problem::Problem)),
    modifiers(&Finish),
    security(("bearer" = [])),
    tags(
        (name = "users", description = "Who may use it, and how much"),
        (name = "clusters", description = "Groups of identical instances in a namespace of their own"),
        (name = "instances", description = "Single containers and VMs"),
        (name = "operations", description = "Health, metrics, audit"),
    )
)]
pub(crate) struct Document;

/// What holds for every operation is said here once.
struct Finish;

impl Modify for Finish {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        if let Some(components) = &mut api.components {
            components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        }
    }
}

/// Adds to every operation of a document what it may answer besides.
pub(crate) fn with_problems(mut api: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    for (path, item) in &mut api.paths.paths {
        let operations = [(&mut item.get, false), (&mut item.post, true), (&mut item.patch, true), (&mut item.delete, true)];
        for (operation, writes) in operations {
            let Some(operation) = operation else { continue };
            for (status, meaning) in problems(path, operation, writes) {
                operation.responses.responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(problem(meaning)));
            }
        }
    }
    api
}

/// What else an operation may answer. Clients, and the fuzzer, hold us to it.
fn problems(path: &str, operation: &Operation, writes: bool) -> Vec<(&'static str, &'static str)> {
    let open = operation.security.as_ref().is_some_and(|all| all.contains(&SecurityRequirement::default()));
    let has_body = operation.request_body.is_some();
    let asks_the_member = path.ends_with("/logs") || path.ends_with("/events");
    let table = [
        (true, "400", "The request cannot be understood"),
        (!open || writes, "401", "No credential, or one that is not good"),
        (!open || writes, "403", "The caller's role does not allow it"),
        (path.contains('{'), "404", "Not there, or not the caller's"),
        (true, "405", "The method is not possible here"),
        (true, "408", "The request took too long"),
        (writes || asks_the_member, "409", "The present state, or the quota, does not allow it"),
        (has_body, "413", "The body is too large"),
        (has_body, "415", "The body is not JSON"),
        (!open || has_body, "422", "Fields are wrong; `errors` names them"),
        (!open || has_body, "429", "Too many requests of the caller are under way; see Retry-After"),
        (true, "500", "A defect; the request id finds it in the log"),
        (asks_the_member, "502", "The member failed"),
        (true, "503", "Not now; see Retry-After"),
        (asks_the_member, "504", "The member did not answer in time"),
    ];
    table.into_iter().filter(|(applies, ..)| *applies).map(|(_, status, meaning)| (status, meaning)).collect()
}

fn problem(description: &str) -> Response {
    let schema = utoipa::openapi::Ref::from_schema_name("Problem");
    ResponseBuilder::new().description(description).content("application/problem+json", Content::new(Some(schema))).build()
}
