//! What is served: `/version`, and groups, versions and resources in the plain and in the aggregated form.

use http::header;
use serde_json::{Value, json};

use super::reply::{self, Reply};
use super::request::Request;
use crate::machinery::VERSION;
use crate::machinery::registry::{Kind, Registry};
use crate::machinery::status::{Answer, Refusal};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// A Kubernetes version with a suffix that says what this is.
pub(crate) fn version() -> Value {
    json!({"major": "1", "minor": "36", "gitVersion": VERSION, "gitCommit": "", "gitTreeState": "clean", "buildDate": "2026-01-01T00:00:00Z",
        "goVersion": "", "compiler": "", "platform": "linux/amd64", "emulationMajor": "1", "emulationMinor": "36", "minCompatibilityMajor": "1",
        "minCompatibilityMinor": "35"})
}

/// The paths that are served.
pub(crate) fn root(registry: &Registry) -> Reply {
    let version = |(group, version): (String, String)| match group.as_str() {
        "" => vec![format!("/api/{version}")],
        _ => vec![format!("/apis/{group}"), format!("/apis/{group}/{version}")],
    };
    let fixed = ["/api", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"].map(str::to_owned);
    let mut paths: Vec<String> = registry.versions().into_iter().flat_map(version).chain(fixed).collect();
    paths.sort();
    paths.dedup();
    reply::json(200, &json!({"paths": paths}))
}

fn wants_aggregated(request: &Request) -> bool {
    request.header(header::ACCEPT).split(',').any(|a| {
        let a: String = a.chars().filter(|c| !c.is_whitespace()).collect();
        let said = |parameter| a.split(';').any(|p| p == parameter);
        said("g=apidiscovery.k8s.io") && said("v=v2")
    })
}

pub(crate) fn core(registry: &Registry, request: &Request) -> Reply {
    if wants_aggregated(request) {
        return reply::json_as(200, AGGREGATED, &aggregated(registry, |group| group.is_empty()));
    }
    reply::json(200, &json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}))
}

pub(crate) fn groups(registry: &Registry, request: &Request) -> Reply {
    if wants_aggregated(request) {
        return reply::json_as(200, AGGREGATED, &aggregated(registry, |group| !group.is_empty()));
    }
    let groups: Vec<Value> = names(registry, |g| !g.is_empty()).iter().map(|g| api_group(registry, g)).collect();
    reply::json(200, &json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}))
}

pub(crate) fn group(registry: &Registry, group: &str) -> Answer<Reply> {
    if !registry.versions().iter().any(|(g, _)| g == group) {
        return Err(Refusal::no_such_path());
    }
    let mut body = api_group(registry, group);
    body["kind"] = json!("APIGroup");
    body["apiVersion"] = json!("v1");
    Ok(reply::json(200, &body))
}

fn names(registry: &Registry, wanted: fn(&str) -> bool) -> Vec<String> {
    let mut names = Vec::new();
    for (group, _) in registry.versions() {
        if wanted(&group) && !names.contains(&group) {
            names.push(group);
        }
    }
    names
}

fn api_group(registry: &Registry, group: &str) -> Value {
    let versions: Vec<Value> =
        registry.versions().iter().filter(|(g, _)| g == group).map(|(g, v)| json!({"groupVersion": format!("{g}/{v}"), "version": v})).collect();
    json!({"name": group, "preferredVersion": versions[0], "versions": versions})
}

pub(crate) fn resources(registry: &Registry, group: &str, version: &str) -> Answer<Reply> {
    let kinds: Vec<_> = registry.kinds().iter().filter(|k| k.group == group && k.version == version).collect();
    let Some(first) = kinds.first() else { return Err(Refusal::no_such_path()) };
    let mut list = Vec::new();
    for kind in &kinds {
        let mut entry =
            json!({"name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced, "kind": kind.kind, "verbs": kind.verbs()});
        add_words(kind, &mut entry);
        list.push(entry);
        for subresource in &kind.subresources {
            let (of, verbs) = subresource_of(kind, subresource);
            let mut entry = json!({"name": format!("{}/{subresource}", kind.plural), "singularName": "", "namespaced": kind.namespaced, "kind": of.2, "verbs": verbs});
            if of.0 != kind.group || of.1 != kind.version {
                entry["group"] = json!(of.0);
                entry["version"] = json!(of.1);
            }
            list.push(entry);
        }
    }
    Ok(reply::json(200, &json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": first.api_version(), "resources": list})))
}

/// Short names and categories, where there are any.
fn add_words(kind: &Kind, entry: &mut Value) {
    for (name, words) in [("shortNames", &kind.short), ("categories", &kind.categories)] {
        if !words.is_empty() {
            entry[name] = json!(words);
        }
    }
}

/// Group, version and kind of a subresource, and its verbs.
fn subresource_of<'k>(kind: &'k Kind, subresource: &str) -> ((&'k str, &'k str, &'k str), &'static [&'static str]) {
    match subresource {
        "scale" => (("autoscaling", "v1", "Scale"), &["get", "patch", "update"]),
        "eviction" => (("policy", "v1", "Eviction"), &["create"]),
        "binding" => (("", "v1", "Binding"), &["create"]),
        "token" => (("authentication.k8s.io", "v1", "TokenRequest"), &["create"]),
        "exec" => (("", "v1", "PodExecOptions"), &["create", "get"]),
        "attach" => (("", "v1", "PodAttachOptions"), &["create", "get"]),
        "portforward" => (("", "v1", "PodPortForwardOptions"), &["create", "get"]),
        "proxy" => (("", "v1", "PodProxyOptions"), &["create", "delete", "get", "patch", "update"]),
        "log" => ((&kind.group, &kind.version, &kind.kind), &["get"]),
        "finalize" => ((&kind.group, &kind.version, &kind.kind), &["update"]),
        _ => ((&kind.group, &kind.version, &kind.kind), &["get", "patch", "update"]),
    }
}

fn aggregated(registry: &Registry, wanted: fn(&str) -> bool) -> Value {
    let items: Vec<Value> = names(registry, wanted)
        .iter()
        .map(|group| {
            let versions: Vec<Value> = registry
                .versions()
                .iter()
                .filter(|(g, _)| g == group)
                .map(|(g, v)| {
                    let kinds = registry.kinds().iter().filter(|k| k.group == *g && k.version == *v);
                    json!({"version": v, "freshness": "Current", "resources": kinds.map(|k| aggregated_kind(k)).collect::<Vec<_>>()})
                })
                .collect();
            let meta = if group.is_empty() { json!({"creationTimestamp": null}) } else { json!({"name": group, "creationTimestamp": null}) };
            json!({"metadata": meta, "versions": versions})
        })
        .collect();
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
}

fn aggregated_kind(kind: &Kind) -> Value {
    let subresources: Vec<Value> = kind
        .subresources
        .iter()
        .map(|s| {
            let (of, verbs) = subresource_of(kind, s);
            let own = of.0 == kind.group && of.1 == kind.version && !kind.custom;
            let response =
                if own { json!({"group": "", "version": "", "kind": of.2}) } else { json!({"group": of.0, "version": of.1, "kind": of.2}) };
            json!({"subresource": s, "responseKind": response, "verbs": verbs})
        })
        .collect();
    // Built-in kinds leave out that they are of the group that they stand under.
    let (group, version) = if kind.custom { (kind.group.as_str(), kind.version.as_str()) } else { ("", "") };
    let mut out = json!({"resource": kind.plural, "responseKind": {"group": group, "version": version, "kind": kind.kind},
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" }, "singularResource": kind.singular, "verbs": kind.verbs()});
    add_words(kind, &mut out);
    if !subresources.is_empty() {
        out["subresources"] = json!(subresources);
    }
    out
}
