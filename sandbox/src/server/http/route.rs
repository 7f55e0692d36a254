//! Which part of the API a path means.

use std::sync::Arc;

use http::Method;

use super::reply::{self, Reply};
use super::request::Request;
use super::served::Served;
use super::target::Target;
use super::{discovery, openapi, resource};
use crate::machinery::status::{Answer, Refusal};

/// Subresources that are refused in words, which kubectl shows, and why.
const NEVER: &[(&str, &str)] = &[
    ("portforward", "nothing listens in its containers"),
    ("proxy", "nothing listens in its containers"),
    ("token", "it knows one user and one token, that of its kubeconfig"),
];

pub(crate) async fn route(served: &Arc<Served>, request: Request) -> Answer<Reply> {
    let path: Vec<String> = request.path.clone();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let registry = served.cluster.registry();
    let get = request.method == Method::GET;
    match path.as_slice() {
        [] if get => Ok(discovery::root(&registry)),
        ["version"] if get => Ok(reply::json(200, &discovery::version())),
        ["api"] if get => Ok(discovery::core(&registry, &request)),
        ["apis"] if get => Ok(discovery::groups(&registry, &request)),
        ["apis", "subresources.kubevirt.io", _, rest @ ..] => served.virtual_machines.call(&request.method, rest, request.body()),
        // Without the group there is nobody to give a Status.
        ["apis", group, ..] if !registry.versions().iter().any(|(g, _)| g == group) => Ok(reply::text(404, "404 page not found\n")),
        ["apis", group] if get => discovery::group(&registry, group),
        ["api", "v1"] if get => discovery::resources(&registry, "", "v1"),
        ["apis", group, version] if get => discovery::resources(&registry, group, version),
        ["openapi", "v2"] if get => Ok(openapi::second(&request)),
        ["openapi", "v3"] if get => Ok(openapi::index(&registry)),
        ["openapi", "v3", "api", version] if get => openapi::document(&registry, "", version),
        ["openapi", "v3", "apis", group, version] if get => openapi::document(&registry, group, version),
        ["api" | "apis" | "version"] | ["api", "v1"] | ["apis", _] | ["apis", _, _] if !get => Err(Refusal::method()),
        ["api", version, rest @ ..] => resource::serve(served, target(served, "", version, rest)?, request).await,
        ["apis", group, version, rest @ ..] => resource::serve(served, target(served, group, version, rest)?, request).await,
        ["api" | "apis", ..] => Err(Refusal::no_such_path()),
        _ => Ok(reply::text(404, "404 page not found\n")),
    }
}

fn target(served: &Served, group: &str, version: &str, rest: &[&str]) -> Answer<Target> {
    let (namespace, rest) = match rest {
        ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => ("", rest),
        ["namespaces", namespace, inner @ ..] => (*namespace, inner),
        _ => ("", rest),
    };
    let (plural, name, subresource) = match rest {
        [plural] => (*plural, "", ""),
        [plural, name] => (*plural, *name, ""),
        [plural, name, subresource] => (*plural, *name, *subresource),
        _ => return Err(Refusal::no_such_path()),
    };
    let kind = served.cluster.registry().find(group, version, plural).ok_or_else(Refusal::no_such_path)?;
    if let Some((_, why)) = NEVER.iter().find(|(never, _)| *never == subresource) {
        let message = format!("the sandbox has no {subresource}: {why}");
        return Err(Refusal::new(405, "MethodNotAllowed", message));
    }
    if kind.rules.is_some() && matches!(subresource, "scale" | "status") && !kind.has(subresource) {
        return Err(Refusal::not_found(&kind, name));
    }
    let known = subresource.is_empty() || kind.has(subresource);
    let scoped = kind.namespaced || namespace.is_empty();
    if !known || !scoped || (kind.namespaced && namespace.is_empty() && !name.is_empty()) {
        return Err(Refusal::no_such_path());
    }
    Ok(Target { kind, namespace: namespace.to_owned(), name: name.to_owned(), subresource: subresource.to_owned() })
}
