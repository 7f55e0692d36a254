//! Fields that the server fills in, as a table: kind, path, value. What depends on other fields is code below it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::Rng;
use serde_json::{Value, json};

use super::pod::spec_path;
use crate::clock;
use crate::registry::Kind;
use crate::value::{at, default, list, remove, set, text};

/// Resource, path, JSON.
type Line = (&'static str, &'static str, &'static str);

#[rustfmt::skip]
const TABLE: &[Line] = &[
    ("services", "spec.type", r#""ClusterIP""#),
    ("services", "spec.sessionAffinity", r#""None""#),
    ("services", "spec.internalTrafficPolicy", r#""Cluster""#),
    ("services", "spec.ipFamilies", r#"["IPv4"]"#),
    ("services", "spec.ipFamilyPolicy", r#""SingleStack""#),
    ("secrets", "type", r#""Opaque""#),
    ("persistentvolumeclaims", "spec.volumeMode", r#""Filesystem""#),
    ("persistentvolumeclaims", "spec.storageClassName", r#""standard""#),
    ("persistentvolumes", "spec.persistentVolumeReclaimPolicy", r#""Retain""#),
    ("persistentvolumes", "spec.volumeMode", r#""Filesystem""#),
    ("deployments.apps", "spec.replicas", "1"),
    ("deployments.apps", "spec.strategy.type", r#""RollingUpdate""#),
    ("deployments.apps", "spec.revisionHistoryLimit", "10"),
    ("deployments.apps", "spec.progressDeadlineSeconds", "600"),
    ("replicasets.apps", "spec.replicas", "1"),
    ("statefulsets.apps", "spec.replicas", "1"),
    ("statefulsets.apps", "spec.podManagementPolicy", r#""OrderedReady""#),
    ("statefulsets.apps", "spec.updateStrategy.type", r#""RollingUpdate""#),
    ("statefulsets.apps", "spec.revisionHistoryLimit", "10"),
    ("daemonsets.apps", "spec.updateStrategy.type", r#""RollingUpdate""#),
    ("daemonsets.apps", "spec.revisionHistoryLimit", "10"),
    ("jobs.batch", "spec.backoffLimit", "6"),
    ("jobs.batch", "spec.completions", "1"),
    ("jobs.batch", "spec.parallelism", "1"),
    ("jobs.batch", "spec.completionMode", r#""NonIndexed""#),
    ("jobs.batch", "spec.suspend", "false"),
    ("cronjobs.batch", "spec.concurrencyPolicy", r#""Allow""#),
    ("cronjobs.batch", "spec.suspend", "false"),
    ("cronjobs.batch", "spec.successfulJobsHistoryLimit", "3"),
    ("cronjobs.batch", "spec.failedJobsHistoryLimit", "1"),
    ("priorityclasses.scheduling.k8s.io", "preemptionPolicy", r#""PreemptLowerPriority""#),
    ("storageclasses.storage.k8s.io", "reclaimPolicy", r#""Delete""#),
    ("storageclasses.storage.k8s.io", "volumeBindingMode", r#""Immediate""#),
    ("networkpolicies.networking.k8s.io", "spec.podSelector", "{}"),
];

#[rustfmt::skip]
const POD: &[(&str, &str)] = &[
    ("restartPolicy", r#""Always""#),
    ("dnsPolicy", r#""ClusterFirst""#),
    ("schedulerName", r#""default-scheduler""#),
    ("terminationGracePeriodSeconds", "30"),
    ("securityContext", "{}"),
];

/// Only of Pods themselves, not of templates: what admission adds.
#[rustfmt::skip]
const ADMITTED_POD: &[(&str, &str)] = &[
    ("serviceAccountName", r#""default""#),
    ("serviceAccount", r#""default""#),
    ("enableServiceLinks", "true"),
    ("priority", "0"),
    ("preemptionPolicy", r#""PreemptLowerPriority""#),
    ("tolerations", r#"[{"effect":"NoExecute","key":"node.kubernetes.io/not-ready","operator":"Exists","tolerationSeconds":300},{"effect":"NoExecute","key":"node.kubernetes.io/unreachable","operator":"Exists","tolerationSeconds":300}]"#),
];

/// What the server decides and nobody owns.
#[rustfmt::skip]
pub(super) const SERVER_SET: &[(&str, &str)] = &[
    ("namespaces", "spec"),
    ("pods", "spec.preemptionPolicy"), ("pods", "spec.priority"), ("pods", "spec.serviceAccount"), ("pods", "spec.serviceAccountName"), ("pods", "spec.tolerations"),
    ("services", "spec.clusterIP"), ("services", "spec.clusterIPs"), ("services", "spec.ipFamilies"), ("services", "spec.ipFamilyPolicy"),
];

fn from_json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// Fills in what is missing; the same at creation and at every change.
pub(super) fn fill(kind: &Kind, object: &mut Value) {
    let resource = kind.resource();
    for (_, path, value) in TABLE.iter().filter(|(of, ..)| *of == resource) {
        default(object, path, from_json(value));
    }
    if let Some(path) = spec_path(kind).filter(|path| at(object, path).is_some()) {
        fill_pod(object, path);
    }
    match resource.as_str() {
        "pods" => {
            ADMITTED_POD.iter().for_each(|(path, value)| default(object, &format!("spec.{path}"), from_json(value)));
            request_limits(object);
        }
        "secrets" => encode_strings(object),
        "services" => fill_service(object),
        "namespaces" => {
            let name = text(object, "metadata.name").to_owned();
            crate::value::object(&mut object["metadata"], "labels").insert("kubernetes.io/metadata.name".to_owned(), json!(name));
        }
        "deployments.apps" if text(object, "spec.strategy.type") == "RollingUpdate" => {
            default(object, "spec.strategy.rollingUpdate.maxSurge", "25%");
            default(object, "spec.strategy.rollingUpdate.maxUnavailable", "25%");
        }
        "jobs.batch" => fill_job(object),
        "limitranges" => fill_limits(object),
        "networkpolicies.networking.k8s.io" => {
            let egress = at(object, "spec.egress").is_some();
            default(object, "spec.policyTypes", if egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) });
        }
        _ => {}
    }
}

/// The status that the server itself gives a new object.
pub(super) fn first_status(kind: &Kind, object: &mut Value) {
    match kind.resource().as_str() {
        "pods" => {
            let class = qos_class(object);
            set(object, "status", json!({"phase": "Pending", "qosClass": class}));
        }
        "namespaces" => {
            set(object, "spec.finalizers", json!(["kubernetes"]));
            set(object, "status", json!({"phase": "Active"}));
        }
        "persistentvolumeclaims" | "persistentvolumes" => set(object, "status", json!({"phase": "Pending"})),
        "services" => set(object, "status", json!({"loadBalancer": {}})),
        "customresourcedefinitions.apiextensions.k8s.io" => established(object),
        _ if kind.has("status") && !kind.custom => default(object, "status", json!({})),
        _ => {}
    }
}

fn fill_pod(object: &mut Value, path: &str) {
    for (field, value) in POD {
        default(object, &format!("{path}.{field}"), from_json(value));
    }
    let volumes = format!("/{}/volumes", path.replace('.', "/"));
    for volume in object.pointer_mut(&volumes).and_then(Value::as_array_mut).into_iter().flatten() {
        for source in ["configMap", "secret", "projected", "downwardAPI"].iter().filter(|s| volume[**s].is_object()).collect::<Vec<_>>() {
            default(volume, &format!("{source}.defaultMode"), 420);
        }
    }
    for containers in ["containers", "initContainers"] {
        let at = format!("/{}/{containers}", path.replace('.', "/"));
        for container in object.pointer_mut(&at).and_then(Value::as_array_mut).into_iter().flatten() {
            let policy = if pulls_always(text(container, "image")) { "Always" } else { "IfNotPresent" };
            default(container, "imagePullPolicy", policy);
            default(container, "resources", json!({}));
            default(container, "terminationMessagePath", "/dev/termination-log");
            default(container, "terminationMessagePolicy", "File");
            for port in container.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
                default(port, "protocol", "TCP");
            }
        }
    }
}

/// What is limited is requested, unless the Pod says another request.
fn request_limits(pod: &mut Value) {
    for containers in ["containers", "initContainers"] {
        for container in pod["spec"].get_mut(containers).and_then(Value::as_array_mut).into_iter().flatten() {
            let limits = at(container, "resources.limits").and_then(Value::as_object).cloned().unwrap_or_default();
            for (resource, limit) in limits {
                crate::value::object(&mut container["resources"], "requests").entry(resource).or_insert(limit);
            }
        }
    }
}

fn pulls_always(image: &str) -> bool {
    let last = image.rsplit('/').next().unwrap_or(image);
    !last.contains('@') && last.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

/// Guaranteed, Burstable or BestEffort, from requests and limits.
fn qos_class(pod: &Value) -> &'static str {
    let resources: Vec<&Value> = list(pod, "spec.containers").iter().map(|c| &c["resources"]).collect();
    let none = |r: &&Value| at(r, "requests").is_none() && at(r, "limits").is_none();
    let full = |r: &&Value| {
        ["cpu", "memory"].iter().all(|n| {
            let limit = at(r, &format!("limits.{n}"));
            limit.is_some() && at(r, &format!("requests.{n}")).is_none_or(|request| Some(request) == limit)
        })
    };
    match () {
        () if resources.iter().all(none) => "BestEffort",
        () if resources.iter().all(full) => "Guaranteed",
        () => "Burstable",
    }
}

fn encode_strings(secret: &mut Value) {
    let Some(plain) = at(secret, "stringData").and_then(Value::as_object).cloned() else { return };
    for (key, value) in plain {
        let encoded = STANDARD.encode(value.as_str().unwrap_or_default());
        crate::value::object(secret, "data").insert(key, json!(encoded));
    }
    remove(secret, "stringData");
}

/// The real server's range.
const NODE_PORTS: std::ops::Range<u16> = 30000..32768;

/// Service addresses are loopback addresses too; nothing answers there.
fn fill_service(service: &mut Value) {
    if text(service, "spec.type") != "ExternalName" && text(service, "spec.clusterIP").is_empty() {
        let mut random = rand::rng();
        let ip = format!("127.97.{}.{}", random.random_range(0..=255), random.random_range(1..=254));
        set(service, "spec.clusterIP", json!(ip));
    }
    let ip = text(service, "spec.clusterIP").to_owned();
    if !ip.is_empty() {
        default(service, "spec.clusterIPs", json!([ip]));
    }
    let exposed = matches!(text(service, "spec.type"), "NodePort" | "LoadBalancer");
    for port in service.pointer_mut("/spec/ports").and_then(Value::as_array_mut).into_iter().flatten() {
        default(port, "protocol", "TCP");
        let number = port["port"].clone();
        default(port, "targetPort", number);
        if exposed {
            default(port, "nodePort", rand::rng().random_range(NODE_PORTS));
        }
    }
}

/// A limit that is given by default is requested by default.
fn fill_limits(range: &mut Value) {
    for limit in range.pointer_mut("/spec/limits").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(limits) = at(limit, "default").cloned() {
            default(limit, "defaultRequest", limits);
        }
    }
}

fn fill_job(job: &mut Value) {
    let uid = text(job, "metadata.uid").to_owned();
    let name = text(job, "metadata.name").to_owned();
    default(job, "spec.selector", json!({"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}));
    let labels = json!({"batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": name, "controller-uid": uid, "job-name": name});
    for (key, value) in labels.as_object().into_iter().flatten() {
        crate::value::object(job, "spec");
        crate::value::object(&mut job["spec"], "template");
        crate::value::object(&mut job["spec"]["template"], "metadata");
        crate::value::object(&mut job["spec"]["template"]["metadata"], "labels").entry(key.clone()).or_insert(value.clone());
    }
}

fn established(crd: &mut Value) {
    let now = clock::now();
    let condition = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now});
    let names = at(crd, "spec.names").cloned().unwrap_or_default();
    let stored: Vec<Value> = list(crd, "spec.versions").iter().filter(|v| v["storage"] == true).map(|v| v["name"].clone()).collect();
    let status = json!({"acceptedNames": names, "storedVersions": stored, "conditions": [
        condition("NamesAccepted", "NoConflicts", "no conflicts found"),
        condition("Established", "InitialNamesAccepted", "the initial names have been accepted")]});
    set(crd, "status", status);
}
