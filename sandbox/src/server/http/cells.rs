//! The computed cells of Tables. Each is a function of one object; columns name them as `$name` or `$name:argument`.

use serde_json::{Value, json};

use crate::machinery::notation::value::{at, list, number, plain, text};
use crate::machinery::registry::columns::Cell;
use crate::machinery::{notation::clock, registry::Column};

/// What a column shows of an object.
pub(crate) fn cell(object: &Value, column: &Column) -> Value {
    match &column.cell {
        Cell::Builtin(cell) => builtin(object, cell),
        Cell::Path(path) => path.first(object).map_or(Value::Null, |found| declared(&column.ty, found)),
    }
}

/// A value in a column of a declared type; one of another type is not shown.
fn declared(ty: &str, found: &Value) -> Value {
    match ty {
        "string" => json!(plain(found)),
        "date" => found.as_str().map_or(Value::Null, |time| json!(clock::age(time))),
        "boolean" => Some(found).filter(|v| v.is_boolean()).cloned().unwrap_or_default(),
        #[expect(clippy::cast_possible_truncation, reason = "a column of whole numbers shows none else")]
        "integer" if found.is_f64() => json!(found.as_f64().unwrap_or_default() as i64),
        _ => Some(found).filter(|v| v.is_number()).cloned().unwrap_or_default(),
    }
}

fn builtin(object: &Value, cell: &str) -> Value {
    let Some(name) = cell.strip_prefix('$') else { return path(object, cell) };
    let (name, argument) = name.split_once(':').unwrap_or((name, ""));
    match name {
        "age" => json!(clock::age(text(object, "metadata.creationTimestamp"))),
        "none" => json!("<none>"),
        "number" => json!(number(object, argument).unwrap_or(0)),
        "count" => json!(at(object, argument).map_or(0, count)),
        "since" => at(object, argument).map_or(json!("<none>"), |t| json!(clock::age(&plain(t)))),
        "ready" => ready(object, argument),
        "selector" => json!(selector(at(object, argument))),
        "pod-ready" => pod_ready(object),
        "pod-status" => json!(pod_status(object)),
        "pod-restarts" => pod_restarts(object),
        "node-status" => node_status(object),
        "node-roles" => node_roles(object),
        "containers" => json!(containers(object, "name")),
        "images" => json!(containers(object, "image")),
        "or-none" => json!(Some(text(object, argument)).filter(|t| !t.is_empty()).unwrap_or("<none>")),
        "external-ip" => json!(external_ip(object)),
        "service-ports" => service_ports(object),
        "endpoints" => endpoints(object),
        "access-modes" => json!(access_modes(object)),
        "claim" => claim(object),
        "quota" => json!(quota(object, argument)),
        "reference" => json!(format!("{}/{}", text(object, &format!("{argument}.kind")), text(object, &format!("{argument}.name")))),
        "flag" => json!(if at(object, argument) == Some(&json!(true)) { "True" } else { "False" }),
        "targets" => json!(targets(object)),
        "subjects" => json!(subjects(object, argument)),
        "usage" => json!(usage(object, argument)),
        "involved" => involved(object),
        "last-seen" => {
            seen(object, &["series.lastObservedTime", "lastTimestamp", "deprecatedLastTimestamp", "eventTime", "metadata.creationTimestamp"])
        }
        "first-seen" => seen(object, &["firstTimestamp", "deprecatedFirstTimestamp", "eventTime", "metadata.creationTimestamp"]),
        "job-status" => job_status(object),
        "job-duration" => job_duration(object),
        _ => json!("<unknown>"),
    }
}

fn path(object: &Value, path: &str) -> Value {
    match at(object, path) {
        None if path.starts_with("status.conditions") => Value::Null,
        None => json!("<none>"),
        Some(Value::String(s)) if s.is_empty() => json!("<none>"),
        Some(value @ (Value::Array(_) | Value::Object(_))) => json!(value.to_string()),
        Some(value) => value.clone(),
    }
}

fn count(value: &Value) -> usize {
    value.as_array().map(Vec::len).or_else(|| value.as_object().map(serde_json::Map::len)).unwrap_or(0)
}

fn ready(object: &Value, paths: &str) -> Value {
    let (have, want) = paths.split_once(':').unwrap_or((paths, ""));
    json!(format!("{}/{}", number(object, have).unwrap_or(0), number(object, want).unwrap_or(0)))
}

/// What an autoscaler goes by: nobody here measures it.
fn targets(object: &Value) -> String {
    let target = |metric: &Value| match (text(metric, "type"), number(metric, "resource.target.averageUtilization")) {
        ("Resource", Some(percent)) => format!("{}: <unknown>/{percent}%", text(metric, "resource.name")),
        ("Resource", None) => format!("{}: <unknown>/{}", text(metric, "resource.name"), text(metric, "resource.target.averageValue")),
        _ => "<unknown>".to_owned(),
    };
    let all: Vec<String> = list(object, "spec.metrics").iter().map(target).collect();
    if all.is_empty() { "<none>".to_owned() } else { all.join(", ") }
}

fn selector(labels: Option<&Value>) -> String {
    let pairs: Vec<String> = labels.and_then(Value::as_object).into_iter().flatten().map(|(k, v)| format!("{k}={}", plain(v))).collect();
    if pairs.is_empty() { "<none>".to_owned() } else { pairs.join(",") }
}

fn pod_ready(pod: &Value) -> Value {
    let states = list(pod, "status.containerStatuses");
    let ready = states.iter().filter(|s| s["ready"] == true).count();
    json!(format!("{ready}/{}", list(pod, "spec.containers").len()))
}

/// The word that kubectl shows for a Pod.
pub(crate) fn pod_status(pod: &Value) -> String {
    let states = list(pod, "status.containerStatuses");
    let waiting = states.iter().map(|s| text(s, "state.waiting.reason")).find(|r| !r.is_empty());
    let ended = states.iter().map(|s| text(s, "state.terminated.reason")).find(|r| !r.is_empty());
    if at(pod, "metadata.deletionTimestamp").is_some() {
        return "Terminating".to_owned();
    }
    let init = list(pod, "status.initContainerStatuses").iter().map(|s| text(s, "state.waiting.reason")).find(|r| !r.is_empty());
    let reason = text(pod, "status.reason");
    match (init, waiting, ended) {
        (Some(init), ..) => format!("Init:{init}"),
        (_, Some(waiting), _) => waiting.to_owned(),
        (_, _, Some(ended)) => ended.to_owned(),
        _ if !reason.is_empty() => reason.to_owned(),
        _ => text(pod, "status.phase").to_owned(),
    }
}

fn pod_restarts(pod: &Value) -> Value {
    let states = list(pod, "status.containerStatuses");
    let sum: i64 = states.iter().filter_map(|s| s["restartCount"].as_i64()).sum();
    let last = states.iter().map(|s| text(s, "lastState.terminated.finishedAt")).max().unwrap_or_default();
    if sum == 0 || last.is_empty() { json!(sum.to_string()) } else { json!(format!("{sum} ({} ago)", clock::age(last))) }
}

fn node_status(node: &Value) -> Value {
    let mut words = vec![if text(node, "status.conditions.Ready.status") == "True" { "Ready" } else { "NotReady" }];
    if at(node, "spec.unschedulable") == Some(&json!(true)) {
        words.push("SchedulingDisabled");
    }
    json!(words.join(","))
}

fn node_roles(node: &Value) -> Value {
    let labels = at(node, "metadata.labels").and_then(Value::as_object);
    let roles: Vec<&str> = labels.into_iter().flatten().filter_map(|(k, _)| k.strip_prefix("node-role.kubernetes.io/")).collect();
    if roles.is_empty() { json!("<none>") } else { json!(roles.join(",")) }
}

fn containers(object: &Value, field: &str) -> String {
    let of = |path: &str| list(object, path).iter().map(|c| text(c, field)).collect::<Vec<_>>();
    of("spec.template.spec.containers").join(",")
}

fn external_ip(service: &Value) -> String {
    let ingress =
        list(service, "status.loadBalancer.ingress").iter().map(|i| Some(text(i, "ip")).filter(|ip| !ip.is_empty()).unwrap_or(text(i, "hostname")));
    let all: Vec<&str> = list(service, "spec.externalIPs").iter().filter_map(Value::as_str).chain(ingress).collect();
    match (text(service, "spec.type"), all.as_slice()) {
        ("ExternalName", _) => text(service, "spec.externalName").to_owned(),
        ("LoadBalancer", []) => "<pending>".to_owned(),
        (_, []) => "<none>".to_owned(),
        (_, all) => all.join(","),
    }
}

fn service_ports(service: &Value) -> Value {
    let ports = list(service, "spec.ports").iter().map(|p| {
        let node = number(p, "nodePort").map(|n| format!(":{n}")).unwrap_or_default();
        format!("{}{node}/{}", number(p, "port").unwrap_or(0), text(p, "protocol"))
    });
    let ports: Vec<String> = ports.collect();
    if ports.is_empty() { json!("<none>") } else { json!(ports.join(",")) }
}

fn endpoints(object: &Value) -> Value {
    let mut all = Vec::new();
    for subset in list(object, "subsets") {
        for address in list(subset, "addresses") {
            for port in list(subset, "ports") {
                all.push(format!("{}:{}", text(address, "ip"), number(port, "port").unwrap_or(0)));
            }
        }
    }
    if all.is_empty() { json!("<none>") } else { json!(all.join(",")) }
}

fn access_modes(object: &Value) -> String {
    let short = |mode: &Value| match mode.as_str() {
        Some("ReadWriteOnce") => "RWO",
        Some("ReadOnlyMany") => "ROX",
        Some("ReadWriteMany") => "RWX",
        Some("ReadWriteOncePod") => "RWOP",
        _ => "",
    };
    list(object, "spec.accessModes").iter().map(short).collect::<Vec<_>>().join(",")
}

fn claim(volume: &Value) -> Value {
    let (namespace, name) = (text(volume, "spec.claimRef.namespace"), text(volume, "spec.claimRef.name"));
    if name.is_empty() { json!("") } else { json!(format!("{namespace}/{name}")) }
}

fn quota(object: &Value, side: &str) -> String {
    let hard = at(object, "status.hard").or_else(|| at(object, "spec.hard")).and_then(Value::as_object);
    let wanted = |name: &str| name.starts_with("limits.") == (side == "limits");
    let each = hard.into_iter().flatten().filter(|(name, _)| wanted(name));
    let used = |name: &str| object["status"]["used"].get(name).map_or("0".to_owned(), plain);
    each.map(|(name, hard)| format!("{name}: {}/{}", used(name), plain(hard))).collect::<Vec<_>>().join(", ")
}

/// Whom a binding binds, of one kind.
fn subjects(binding: &Value, kind: &str) -> String {
    let of_kind = list(binding, "subjects").iter().filter(|s| s["kind"] == kind);
    let named = |s: &Value| match text(s, "namespace") {
        "" => text(s, "name").to_owned(),
        namespace => format!("{namespace}/{}", text(s, "name")),
    };
    of_kind.map(named).collect::<Vec<_>>().join(", ")
}

/// The sum over a Pod's containers; metrics of one resource share a unit.
fn usage(metrics: &Value, resource: &str) -> String {
    let each: Vec<&str> = list(metrics, "containers").iter().map(|c| text(c, &format!("usage.{resource}"))).collect();
    let unit = each.first().map_or("", |q| q.trim_start_matches(|c: char| c.is_ascii_digit()));
    let sum: u64 = each.iter().filter_map(|q| q.strip_suffix(unit)?.parse::<u64>().ok()).sum();
    format!("{sum}{unit}")
}

fn involved(event: &Value) -> Value {
    let side = if at(event, "regarding").is_some() { "regarding" } else { "involvedObject" };
    let kind = text(event, &format!("{side}.kind")).to_lowercase();
    json!(format!("{kind}/{}", text(event, &format!("{side}.name"))))
}

fn seen(event: &Value, paths: &[&str]) -> Value {
    let time = paths.iter().map(|p| text(event, p)).find(|t| !t.is_empty());
    json!(time.map_or("<unknown>".to_owned(), clock::age))
}

fn job_status(job: &Value) -> Value {
    let is = |condition: &str| text(job, &format!("status.conditions.{condition}.status")) == "True";
    json!(match () {
        () if is("Complete") => "Complete",
        () if is("Failed") => "Failed",
        () if at(job, "metadata.deletionTimestamp").is_some() => "Terminating",
        () if is("Suspended") => "Suspended",
        () => "Running",
    })
}

fn job_duration(job: &Value) -> Value {
    let (start, end) = (text(job, "status.startTime"), text(job, "status.completionTime"));
    match (start, end) {
        ("", _) => json!(""),
        (start, "") => json!(clock::age(start)),
        (start, end) => json!(clock::between(start, end)),
    }
}
