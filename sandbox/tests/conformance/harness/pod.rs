//! Pods for the areas that need a node, and what is compared of them.
//!
//! Where the sandbox cannot see a cause it is told by an annotation, which means nothing to a real node: there the
//! image or the command is the cause.

use serde_json::{Value, json};

use super::Talk;

const PODS: &str = "/api/v1/namespaces/{ns}/pods";
pub(crate) const POD: &str = "/api/v1/namespaces/{ns}/pods/a";
pub(crate) const LOG: &str = "/api/v1/namespaces/{ns}/pods/a/log";

/// A container `c` that runs `script`.
pub(crate) fn shell(script: &str) -> Value {
    container("c", json!({"command": ["sh", "-c", script]}))
}

/// One that stays.
pub(crate) fn sleeper(name: &str) -> Value {
    container(name, json!({"command": ["sleep", "3600"]}))
}

/// One with these fields besides.
pub(crate) fn container(name: &str, more: Value) -> Value {
    with(json!({"name": name, "image": "busybox"}), more)
}

fn with(mut base: Value, more: Value) -> Value {
    if let (Some(base), Value::Object(more)) = (base.as_object_mut(), more) {
        base.extend(more);
    }
    base
}

/// The Pod `a` with one container and these fields of the spec besides.
pub(crate) async fn create(t: &mut Talk, container: Value, more: Value) {
    create_failing(t, "", container, more).await;
}

/// The same, which the sandbox makes fail in the way that `fail` says.
pub(crate) async fn create_failing(t: &mut Talk, fail: &str, container: Value, more: Value) {
    let annotations = if fail.is_empty() { json!({}) } else { json!({"sandbox.kubekcloud.io/fail": fail}) };
    let spec = json!({"terminationGracePeriodSeconds": 0, "automountServiceAccountToken": false, "containers": [container]});
    t.post(PODS, json!({"metadata": {"name": "a", "annotations": annotations}, "spec": with(spec, more)})).quiet().await;
}

/// Records the whole status as it is once the Pod is as wanted, but for its own `resources`: a kubelet reads them from a
/// cgroup that may be half made or gone.
pub(crate) async fn status(t: &mut Talk, wanted: impl Fn(&Value) -> bool) {
    let mut pod = t.until(POD, wanted).await;
    if let Some(status) = pod["status"].as_object_mut() {
        status.remove("resources");
    }
    t.note("status", pod["status"].clone());
}

/// Waits until container `c` waits for this reason.
pub(crate) async fn waits(t: &mut Talk, reasons: &[&str]) -> Value {
    t.until(POD, |pod| waiting(&pod["status"]["containerStatuses"][0], reasons)).await
}

pub(crate) fn waiting(status: &Value, reasons: &[&str]) -> bool {
    status["state"]["waiting"]["reason"].as_str().is_some_and(|reason| reasons.contains(&reason))
}

/// Put off by the kubelet after the first restart.
pub(crate) fn loops(pod: &Value) -> bool {
    let status = &pod["status"]["containerStatuses"][0];
    status["restartCount"] == 1 && waiting(status, &["CrashLoopBackOff"])
}

pub(crate) fn is_ready(pod: &Value) -> bool {
    pod["status"]["conditions"].as_array().is_some_and(|all| all.iter().any(|c| c["type"] == "Ready" && c["status"] == "True"))
}

/// Ended, and what held its containers is gone, which a kubelet may write later.
pub(crate) fn is_over(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    let cleared = conditions.is_some_and(|all| all.iter().any(|c| c["type"] == "PodReadyToStartContainers" && c["status"] == "False"));
    cleared && matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"))
}

/// A Pod that stays, once it runs.
pub(crate) async fn running(t: &mut Talk) {
    create(t, sleeper("c"), json!({})).await;
    t.until(POD, is_ready).await;
}

/// A Pod that ran `script`, once it is over.
pub(crate) async fn ended(t: &mut Talk, script: &str) {
    create(t, shell(script), json!({"restartPolicy": "Never"})).await;
    t.until(POD, is_over).await;
}

/// A Pod whose image cannot be pulled, once that is known.
pub(crate) async fn without_image(t: &mut Talk) {
    create_failing(t, "image-pull", container("c", json!({"image": "registry.test/shop/nope:1.0"})), json!({})).await;
    waits(t, &["ErrImagePull", "ImagePullBackOff"]).await;
}
