//! Which containers of a Pod are at hand: init containers one after another, sidecars among them, then the others, those
//! together that are in the same state; at last the sidecars again, which end with the others. What is said of them:
//! `name`, `image`, `kind` (`init`, `sidecar`, `main`), `field` (as events name it), `state` (`none`, `waiting`, `running`,
//! `terminated`), `reason`, `message`, `exitCode`, `restartCount`, `restart` (whether it will be), `ending` (a sidecar that
//! nobody needs any longer), `backoff` (in words), `badImage` (what is wrong with the name), and the `spec`.

use serde_json::{Value, json};

use super::container::status_in;
use super::host::Host;
use crate::machinery::notation::value::{list, number, text};

/// The containers whose turn it is.
pub(crate) fn at_hand(host: &Host, pod: &Value) -> Vec<Value> {
    let main: Vec<Value> =
        list(pod, "spec.containers").iter().map(|spec| describe(pod, spec, status(pod, "containerStatuses", text(spec, "name")), "main")).collect();
    if main.iter().all(is_over) {
        let ending = ending(pod);
        // One that failed decides how the Pod ends.
        return if ending.is_empty() { failed_first(main) } else { ending };
    }
    for spec in list(pod, "spec.initContainers") {
        let status = status(pod, "initContainerStatuses", text(spec, "name"));
        let sidecar = spec["restartPolicy"] == "Always";
        let done = if sidecar { status["state"].get("running").is_some() } else { number(status, "state.terminated.exitCode") == Some(0) };
        if !done {
            return vec![describe(pod, spec, status, if sidecar { "sidecar" } else { "init" })];
        }
    }
    together(host, pod, main)
}

fn is_over(container: &Value) -> bool {
    container["state"] == "terminated" && container["restart"] == false
}

fn failed_first(mut main: Vec<Value>) -> Vec<Value> {
    main.sort_by_key(|container| container["exitCode"] == 0);
    main
}

/// The sidecars that still run after the others.
fn ending(pod: &Value) -> Vec<Value> {
    let sidecars = list(pod, "spec.initContainers").iter().filter(|spec| spec["restartPolicy"] == "Always");
    let described = sidecars.map(|spec| describe(pod, spec, status(pod, "initContainerStatuses", text(spec, "name")), "sidecar"));
    let mut running: Vec<Value> = described.filter(|sidecar| sidecar["state"] == "running").collect();
    running.iter_mut().for_each(|sidecar| sidecar["ending"] = json!(true));
    running
}

/// Of those that aren't over: whichever don't run and wait for the same; else those that end next.
fn together(host: &Host, pod: &Value, main: Vec<Value>) -> Vec<Value> {
    let alive: Vec<Value> = main.into_iter().filter(|container| !is_over(container)).collect();
    let ends = |container: &Value| host.outcome(pod, text(container, "name")).map_or(u64::MAX, |outcome| outcome.seconds);
    let alike = |container: &Value| ["state", "reason", "restartCount"].map(|field| container[field].clone());
    if let Some(first) = alive.iter().find(|container| container["state"] != "running").map(alike) {
        return alive.into_iter().filter(|container| alike(container) == first).collect();
    }
    let soonest = alive.iter().map(ends).min();
    alive.into_iter().filter(|container| Some(ends(container)) == soonest).collect()
}

/// The status of a container; null where there is none.
fn status<'p>(pod: &'p Value, of: &str, name: &str) -> &'p Value {
    status_in(pod, of, name).unwrap_or(&Value::Null)
}

fn describe(pod: &Value, spec: &Value, status: &Value, kind: &str) -> Value {
    let name = text(spec, "name");
    let state = ["waiting", "running", "terminated"].into_iter().find(|s| status["state"].get(s).is_some()).unwrap_or("none");
    let restarts = number(status, "restartCount").unwrap_or(0);
    let field = if kind == "main" { "containers" } else { "initContainers" };
    let exit = number(status, "state.terminated.exitCode");
    let restart = match (kind, text(pod, "spec.restartPolicy")) {
        ("sidecar", _) | ("main", "Always") => true,
        (_, "Never") => false,
        _ => exit != Some(0),
    };
    json!({"name": name, "image": spec["image"], "kind": kind, "field": format!("spec.{field}{{{name}}}"), "state": state,
        "reason": status["state"][state]["reason"], "message": status["state"][state]["message"], "exitCode": exit, "restartCount": restarts, "restart": restart,
        "backoff": backoff(restarts.max(1)), "badImage": bad_image(text(spec, "image")), "spec": spec})
}

/// The pause before the next start, as the kubelet words it: 10 s at first, doubled each time up to five minutes.
fn backoff(restarts: i64) -> String {
    let seconds = (1..restarts.min(6)).fold(10, |s, _| s * 2).min(300);
    if seconds < 60 { format!("{seconds}s") } else { format!("{}m{}s", seconds / 60, seconds % 60) }
}

/// What the kubelet says of an image that nobody can mean; null if there is nothing to say.
fn bad_image(image: &str) -> Value {
    let path = image.split('@').next().unwrap_or_default();
    let repository = match path.rsplit_once(':') {
        Some((before, tag)) if !tag.contains('/') => before.trim_end_matches(':'),
        _ => path,
    };
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/:".contains(c);
    if repository.chars().all(fits) && !repository.is_empty() && !path.contains("::") {
        return Value::Null;
    }
    // The part before the first slash may be a host's name, in which capitals are allowed.
    let local = !repository.contains('/');
    let rest = if local { repository } else { repository.split_once('/').map_or("", |(_, rest)| rest) };
    if !rest.is_empty() && rest.chars().all(fits) && !path.contains("::") {
        return Value::Null;
    }
    if repository.chars().any(|c| c.is_ascii_uppercase()) {
        let full = if local { format!("library/{repository}") } else { rest.to_owned() };
        return json!(format!("invalid reference format: repository name ({full}) must be lowercase"));
    }
    json!("invalid reference format")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_that_nobody_can_mean_are_found() {
        for good in ["nginx", "nginx:1", "quay.io/a/b:1.0", "Host.example:5000/a/b", "a/b@sha256:abc", "localhost:5000/x"] {
            assert_eq!(bad_image(good), Value::Null, "{good}");
        }
        assert_eq!(bad_image("Bad Image::x"), json!("invalid reference format: repository name (library/Bad Image) must be lowercase"));
        assert_eq!(bad_image("a b"), json!("invalid reference format"));
    }

    #[test]
    fn pauses_double_up_to_five_minutes() {
        let all: Vec<String> = (1..8).map(backoff).collect();
        assert_eq!(all, ["10s", "20s", "40s", "1m20s", "2m40s", "5m0s", "5m0s"]);
    }
}
