//! The OpenAPI document: what `/openapi.json` serves and `openapi/kubekcloud.json` holds.

use utoipa::{
    Modify, OpenApi,
    openapi::{
        Content, RefOr, Response, ResponseBuilder,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

use crate::routes;

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

/// The whole document.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut api = routes::with_document().into_openapi();
    for item in api.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            let text = "Any problem, as application/problem+json";
            operation.responses.responses.entry("default".to_owned()).or_insert_with(|| RefOr::T(problem(text)));
        }
    }
    api
}

fn problem(description: &str) -> Response {
    let schema = utoipa::openapi::Ref::from_schema_name("Problem");
    ResponseBuilder::new().description(description).content("application/problem+json", Content::new(Some(schema))).build()
}
