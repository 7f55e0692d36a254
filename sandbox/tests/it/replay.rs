//! The sandbox moves Pods as a real kubelet was seen to move them: states, words, conditions, events, and which fields a
//! status has. What was seen is in `replay/pods.yaml`. Only the times differ: the sandbox's are shorter.

use crate::support::{DEADLINE, eventually, from, start};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::{PostParams, WatchEvent, WatchParams};
use kube::{Api, Client, ResourceExt};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    fail: Option<String>,
    spec: Value,
    states: Vec<String>,
    /// Of the container's waiting state at the end.
    #[serde(default)]
    message: Option<String>,
    /// The container's last state at the end: reason and exit code.
    #[serde(default)]
    last: Option<String>,
    /// The Pod's own message.
    #[serde(default)]
    says: Option<String>,
    conditions: Vec<String>,
    #[serde(default)]
    events: Vec<String>,
}

fn words(parts: &[&str]) -> String {
    parts.iter().filter(|p| !p.is_empty()).copied().collect::<Vec<_>>().join(" ")
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_default()
}

fn container(status: &Value) -> String {
    let state = ["waiting", "running", "terminated"].into_iter().find(|s| status["state"].get(s).is_some()).unwrap_or("none");
    let detail = &status["state"][state];
    let flag = |name: &'static str| if status[name] == true { name } else { "" };
    let restarts = status["restartCount"].as_i64().unwrap_or(0);
    let exit = detail["exitCode"].as_i64().map(|c| c.to_string()).unwrap_or_default();
    let restarts = if restarts > 0 { format!("restarts={restarts}") } else { String::new() };
    words(&[text(status, "name"), state, text(detail, "reason"), &exit, flag("ready"), flag("started"), &restarts])
}

fn state(pod: &Value) -> String {
    let status = &pod["status"];
    let of = |field: &str| status[field].as_array().cloned().unwrap_or_default();
    let pod = words(&[text(status, "phase"), text(status, "reason")]);
    [pod].into_iter().chain(of("initContainerStatuses").iter().chain(&of("containerStatuses")).map(container)).collect::<Vec<_>>().join(" | ")
}

fn conditions(pod: &Value) -> Vec<String> {
    let all = pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
    all.iter().map(|c| words(&[text(c, "type"), text(c, "status"), text(c, "reason"), text(c, "message")])).collect()
}

/// Takes out what differs from run to run.
fn normal(pod: &Value, said: &str) -> String {
    let (name, namespace, uid) = (text(&pod["metadata"], "name"), text(&pod["metadata"], "namespace"), text(&pod["metadata"], "uid"));
    let ip = text(&pod["status"], "podIP");
    let said = said.replace(&format!("{name}_{namespace}({uid})"), "POD(UID)").replace(&format!("{namespace}/{name} "), &format!("{namespace}/POD "));
    if ip.is_empty() { said } else { said.replace(ip, "IP") }
}

/// Follows a Pod until it has shown as many states as wanted; each change of the state is one.
async fn follow(client: &Client, case: &Case) -> (Vec<String>, Value) {
    let pods: Api<Pod> = Api::namespaced(client.clone(), "default");
    let annotations = case.fail.iter().map(|how| ("sandbox.kubekcloud.io/fail".to_owned(), json!(how))).collect::<serde_json::Map<_, _>>();
    let pod = json!({"metadata": {"name": case.name, "annotations": annotations}, "spec": case.spec});
    let made = pods.create(&PostParams::default(), &from(pod)).await.expect("created");
    let since = made.resource_version().expect("a version");
    let only = WatchParams::default().fields(&format!("metadata.name={}", case.name));
    let mut changes = pods.watch(&only, &since).await.expect("a watch").boxed();
    let mut last = serde_json::to_value(&made).expect("JSON");
    let mut seen = vec![state(&last)];
    let wanted = case.conditions.len();
    let whole = async {
        while seen.len() < case.states.len() || conditions(&last).len() < wanted {
            let WatchEvent::Modified(pod) = changes.try_next().await.expect("an event").expect("the watch goes on") else { continue };
            last = serde_json::to_value(&pod).expect("JSON");
            let now = state(&last);
            if seen.last() != Some(&now) {
                seen.push(now);
            }
        }
    };
    if tokio::time::timeout(DEADLINE, whole).await.is_err() {
        panic!("{}: only {seen:#?}", case.name);
    }
    (seen, last)
}

/// The events about a Pod, in the order of their first sight.
async fn events(case: &Case, pod: &Value, mut changes: impl Stream<Item = kube::Result<WatchEvent<Event>>> + Unpin) -> Vec<String> {
    let mut found = Vec::new();
    let whole = async {
        while found.len() < case.events.len() {
            match changes.try_next().await.expect("an event").expect("the watch goes on") {
                WatchEvent::Added(event) => found.push(said(pod, &event)),
                WatchEvent::Error(error) => panic!("{}: {error:?}", case.name),
                _ => {}
            }
        }
    };
    if tokio::time::timeout(DEADLINE, whole).await.is_err() {
        panic!("{}: only {found:#?}", case.name);
    }
    found
}

fn said(pod: &Value, event: &Event) -> String {
    let path = event.involved_object.field_path.clone().unwrap_or_default();
    let container = path.split_once('{').map_or("", |(_, name)| name.trim_end_matches('}'));
    let (kind, reason) = (event.type_.clone().unwrap_or_default(), event.reason.clone().unwrap_or_default());
    let spec = if path.starts_with("spec.initContainers{") || path.starts_with("spec.containers{") || path.is_empty() { "" } else { "?" };
    // A message's own blanks are part of it.
    let head = words(&[&kind, &reason, container, spec]);
    format!("{head} {}", normal(pod, event.message.as_deref().unwrap_or_default()))
}

async fn replay(client: Client, case: Case) -> Vec<String> {
    let about = WatchParams::default().fields(&format!("involvedObject.name={}", case.name));
    let changes = Api::<Event>::namespaced(client.clone(), "default").watch(&about, "0").await.expect("a watch").boxed();
    let (seen, pod) = follow(&client, &case).await;
    let mut wrong = Vec::new();
    let mut differs = |what: &str, wanted: &Value, found: &Value| {
        if wanted != found {
            wrong.push(format!("{}: {what}\n  real:    {wanted:#}\n  sandbox: {found:#}", case.name));
        }
    };
    differs("states", &json!(case.states), &json!(seen));
    differs("conditions", &json!(case.conditions), &json!(conditions(&pod)));
    let statuses = [&pod["status"]["initContainerStatuses"], &pod["status"]["containerStatuses"]];
    let first = statuses.into_iter().find_map(|s| s.get(0)).cloned().unwrap_or_default();
    if let Some(message) = &case.message {
        differs("message", &json!(message), &json!(normal(&pod, text(&first["state"]["waiting"], "message"))));
    }
    if let Some(last) = &case.last {
        let ended = &first["lastState"]["terminated"];
        differs("last state", &json!(last), &json!(format!("{} {}", text(ended, "reason"), ended["exitCode"])));
    }
    if let Some(says) = &case.says {
        differs("message of the Pod", &json!(says), &pod["status"]["message"]);
    }
    if !case.events.is_empty() {
        differs("events", &json!(case.events), &json!(events(&case, &pod, changes).await));
    }
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_move_as_a_real_kubelet_moves_them() {
    let (_sandbox, client) = start().await;
    let config: Api<k8s_openapi::api::core::v1::ConfigMap> = Api::namespaced(client.clone(), "default");
    eventually("the namespace is furnished", || async { config.get_opt("kube-root-ca.crt").await.expect("read") }).await;
    let cases: Vec<Case> = serde_saphyr::from_str(include_str!("replay/pods.yaml")).expect("cases");
    assert!(cases.len() >= 25, "cases were lost");
    let wrong: Vec<Vec<String>> = stream::iter(cases).map(|case| replay(client.clone(), case)).buffer_unordered(32).collect().await;
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The fields that a status has, of the Pod and of its container, as the real ones have them. Left out there: `user`,
/// which tells of a process, and `volumeMounts`, as no token is mounted here.
#[tokio::test]
async fn a_status_has_the_fields_of_the_real_one() {
    let (_sandbox, client) = start().await;
    let case = |name: &str, fail: Option<&str>, states: &[&str]| Case {
        name: name.to_owned(),
        fail: fail.map(str::to_owned),
        spec: json!({"containers": [{"name": "app", "image": "busybox:1.35.0"}]}),
        states: states.iter().map(|s| (*s).to_owned()).collect(),
        message: None,
        last: None,
        says: None,
        conditions: vec![],
        events: vec![],
    };
    let keys = |value: &Value| value.as_object().map(|m| m.keys().cloned().collect::<Vec<_>>().join(" ")).unwrap_or_default();
    let (_, created) = follow(&client, &case("created", None, &["", ""])).await;
    assert_eq!(keys(&created["status"]), "conditions containerStatuses hostIP hostIPs observedGeneration phase qosClass startTime");
    let waiting = "image imageID lastState name ready restartCount started state";
    assert_eq!(keys(&created["status"]["containerStatuses"][0]), waiting);
    let (_, running) = follow(&client, &case("running", None, &["", "", ""])).await;
    let whole = "conditions containerStatuses hostIP hostIPs observedGeneration phase podIP podIPs qosClass startTime";
    assert_eq!(keys(&running["status"]), whole);
    assert_eq!(keys(&running["status"]["containerStatuses"][0]), format!("containerID {} user", waiting.replace("ready ", "ready resources ")));
    assert_eq!(keys(&running["status"]["conditions"][0]), "lastTransitionTime observedGeneration status type");
    let (_, ended) = follow(&client, &case("ended", Some("crash-loop"), &["", "", "", ""])).await;
    assert_eq!(keys(&ended["status"]["containerStatuses"][0]["state"]["terminated"]), "containerID exitCode finishedAt reason startedAt");
}
