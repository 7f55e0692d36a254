//! Fields that the server fills in, as a table: kind, path, value. What depends on other fields is code below it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::Rng;
use serde_json::{Value, json};

use super::pod::spec_path;
use crate::machinery::notation::value::{at, default, list, remove, set, text};
use crate::machinery::{crd::names, notation::clock, registry::Kind};

/// Resource, path, JSON. In a path `*` is each element of a list, and a segment with `?` must be there already.
type Line = (&'static str, &'static str, &'static str);

#[rustfmt::skip]
const TABLE: &[Line] = &[
    ("services", "spec.type", r#""ClusterIP""#),
    ("services", "spec.sessionAffinity", r#""None""#),
    ("services", "spec.ports?.*.protocol", r#""TCP""#),
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
    ("replicationcontrollers", "spec.replicas", "1"),
    ("horizontalpodautoscalers.autoscaling", "spec.minReplicas", "1"),
    ("horizontalpodautoscalers.autoscaling", "spec.metrics", r#"[{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":80}}}]"#),
    ("statefulsets.apps", "spec.replicas", "1"),
    ("statefulsets.apps", "spec.podManagementPolicy", r#""OrderedReady""#),
    ("statefulsets.apps", "spec.updateStrategy.type", r#""RollingUpdate""#),
    ("statefulsets.apps", "spec.revisionHistoryLimit", "10"),
    ("statefulsets.apps", "spec.persistentVolumeClaimRetentionPolicy", r#"{"whenDeleted":"Retain","whenScaled":"Retain"}"#),
    ("statefulsets.apps", "spec.volumeClaimTemplates?.*.apiVersion", r#""v1""#),
    ("statefulsets.apps", "spec.volumeClaimTemplates?.*.kind", r#""PersistentVolumeClaim""#),
    ("statefulsets.apps", "spec.volumeClaimTemplates?.*.spec.volumeMode", r#""Filesystem""#),
    ("statefulsets.apps", "spec.volumeClaimTemplates?.*.status.phase", r#""Pending""#),
    ("daemonsets.apps", "spec.updateStrategy.type", r#""RollingUpdate""#),
    ("daemonsets.apps", "spec.revisionHistoryLimit", "10"),
    ("jobs.batch", "spec.backoffLimit", "6"),
    ("jobs.batch", "spec.manualSelector", "false"),
    ("jobs.batch", "spec.podReplacementPolicy", r#""TerminatingOrFailed""#),
    ("jobs.batch", "spec.completionMode", r#""NonIndexed""#),
    ("jobs.batch", "spec.suspend", "false"),
    ("cronjobs.batch", "spec.jobTemplate.metadata", "{}"),
    ("cronjobs.batch", "spec.jobTemplate.spec.template.metadata", "{}"),
    ("cronjobs.batch", "spec.concurrencyPolicy", r#""Allow""#),
    ("cronjobs.batch", "spec.suspend", "false"),
    ("cronjobs.batch", "spec.successfulJobsHistoryLimit", "3"),
    ("cronjobs.batch", "spec.failedJobsHistoryLimit", "1"),
    ("priorityclasses.scheduling.k8s.io", "preemptionPolicy", r#""PreemptLowerPriority""#),
    ("storageclasses.storage.k8s.io", "reclaimPolicy", r#""Delete""#),
    ("storageclasses.storage.k8s.io", "volumeBindingMode", r#""Immediate""#),
    ("networkpolicies.networking.k8s.io", "spec.podSelector", "{}"),
    ("networkpolicies.networking.k8s.io", "spec.ingress?.*.ports?.*.protocol", r#""TCP""#),
    ("networkpolicies.networking.k8s.io", "spec.egress?.*.ports?.*.protocol", r#""TCP""#),
    ("persistentvolumes", "spec.hostPath?.type", r#""""#),
    ("endpointslices.discovery.k8s.io", "endpoints?.*.conditions", "{}"),
    ("endpointslices.discovery.k8s.io", "ports?.*.name", r#""""#),
    ("endpointslices.discovery.k8s.io", "ports?.*.protocol", r#""TCP""#),
];

#[rustfmt::skip]
const POD: &[(&str, &str)] = &[
    ("restartPolicy", r#""Always""#),
    ("dnsPolicy", r#""ClusterFirst""#),
    ("schedulerName", r#""default-scheduler""#),
    ("terminationGracePeriodSeconds", "30"),
    ("securityContext", "{}"),
    ("volumes?.*.configMap?.defaultMode", "420"),
    ("volumes?.*.secret?.defaultMode", "420"),
    ("volumes?.*.projected?.defaultMode", "420"),
    ("volumes?.*.downwardAPI?.defaultMode", "420"),
    ("volumes?.*.hostPath?.type", r#""""#),
];

/// Of each container.
#[rustfmt::skip]
const CONTAINER: &[(&str, &str)] = &[
    ("resources", "{}"),
    ("terminationMessagePath", r#""/dev/termination-log""#),
    ("terminationMessagePolicy", r#""File""#),
    ("ports?.*.protocol", r#""TCP""#),
    ("env?.*.valueFrom?.fieldRef?.apiVersion", r#""v1""#),
];

/// Of each probe of a container.
#[rustfmt::skip]
const PROBE: &[(&str, &str)] = &[
    ("timeoutSeconds", "1"), ("periodSeconds", "10"), ("successThreshold", "1"), ("failureThreshold", "3"),
    ("httpGet?.path", r#""/""#), ("httpGet?.scheme", r#""HTTP""#), ("grpc?.service", r#""""#),
];

/// The status that a new object has; of what isn't listed and has one it is empty.
#[rustfmt::skip]
const FIRST_STATUS: &[(&str, &str)] = &[
    ("persistentvolumeclaims", r#"{"phase":"Pending"}"#),
    ("services", r#"{"loadBalancer":{}}"#),
    ("ingresses.networking.k8s.io", r#"{"loadBalancer":{}}"#),
    ("replicasets.apps", r#"{"replicas":0}"#),
    ("replicationcontrollers", r#"{"replicas":0}"#),
    ("horizontalpodautoscalers.autoscaling", r#"{"currentMetrics":null,"desiredReplicas":0}"#),
    ("statefulsets.apps", r#"{"replicas":0,"availableReplicas":0}"#),
    ("daemonsets.apps", r#"{"currentNumberScheduled":0,"desiredNumberScheduled":0,"numberMisscheduled":0,"numberReady":0}"#),
    ("poddisruptionbudgets.policy", r#"{"currentHealthy":0,"desiredHealthy":0,"disruptionsAllowed":0,"expectedPods":0}"#),
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
        default_at(object, path, value);
    }
    if let Some(path) = spec_path(kind).filter(|path| at(object, path).is_some()) {
        fill_pod(object, path);
    }
    match resource.as_str() {
        "pods" => ADMITTED_POD.iter().for_each(|(path, value)| default(object, &format!("spec.{path}"), from_json(value))),
        "secrets" => encode_strings(object),
        "services" => fill_service(object),
        "namespaces" => {
            let name = text(object, "metadata.name").to_owned();
            crate::machinery::notation::value::object(&mut object["metadata"], "labels")
                .insert("kubernetes.io/metadata.name".to_owned(), json!(name));
        }
        "deployments.apps" if text(object, "spec.strategy.type") == "RollingUpdate" => {
            default(object, "spec.strategy.rollingUpdate.maxSurge", "25%");
            default(object, "spec.strategy.rollingUpdate.maxUnavailable", "25%");
        }
        crate::machinery::registry::builtin::CRDS => fill_definition(object),
        "statefulsets.apps" if text(object, "spec.updateStrategy.type") == "RollingUpdate" => {
            default(object, "spec.updateStrategy.rollingUpdate.partition", 0);
        }
        "daemonsets.apps" if text(object, "spec.updateStrategy.type") == "RollingUpdate" => {
            default(object, "spec.updateStrategy.rollingUpdate.maxSurge", 0);
            default(object, "spec.updateStrategy.rollingUpdate.maxUnavailable", 1);
        }
        "rolebindings.rbac.authorization.k8s.io" | "clusterrolebindings.rbac.authorization.k8s.io" => {
            if text(object, "roleRef.apiGroup").is_empty() {
                set(object, "roleRef.apiGroup", json!("rbac.authorization.k8s.io"));
            }
            for subject in object.get_mut("subjects").and_then(Value::as_array_mut).into_iter().flatten() {
                if matches!(text(subject, "kind"), "User" | "Group") {
                    default(subject, "apiGroup", "rbac.authorization.k8s.io");
                }
            }
        }
        "replicationcontrollers" => {
            if let Some(labels) = at(object, "spec.template.metadata.labels").cloned() {
                default(object, "spec.selector", labels.clone());
                default(object, "metadata.labels", labels);
            }
        }
        "jobs.batch" => fill_job(object),
        "limitranges" => fill_limits(object),
        "networkpolicies.networking.k8s.io" => {
            let egress = !list(object, "spec.egress").is_empty();
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
            if !list(object, "spec.schedulingGates").is_empty() {
                let gated = json!({"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "lastProbeTime": null,
                    "lastTransitionTime": clock::now(), "message": "Scheduling is blocked due to non-empty scheduling gates"});
                set(object, "status.conditions", json!([gated]));
            }
        }
        "namespaces" => {
            set(object, "spec.finalizers", json!(["kubernetes"]));
            set(object, "status", json!({"phase": "Active"}));
        }
        "persistentvolumes" => set(object, "status", json!({"phase": "Pending", "lastPhaseTransitionTime": clock::now()})),
        crate::machinery::registry::builtin::CRDS => {
            let status = names::unseen(object);
            set(object, "status", status);
        }
        resource if kind.has("status") && !kind.custom => {
            let first = FIRST_STATUS.iter().find(|(of, _)| *of == resource).map_or("{}", |(_, status)| status);
            default(object, "status", from_json(first));
        }
        _ => {}
    }
}

fn fill_pod(object: &mut Value, path: &str) {
    for (field, value) in POD {
        default_at(object, &format!("{path}.{field}"), value);
    }
    for containers in ["containers", "initContainers", "ephemeralContainers"] {
        let place = format!("/{}/{containers}", path.replace('.', "/"));
        for container in object.pointer_mut(&place).and_then(Value::as_array_mut).into_iter().flatten() {
            let policy = if pulls_always(text(container, "image")) { "Always" } else { "IfNotPresent" };
            default(container, "imagePullPolicy", policy);
            CONTAINER.iter().for_each(|(field, value)| default_at(container, field, value));
            for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
                PROBE.iter().for_each(|(field, value)| default_at(container, &format!("{probe}?.{field}"), value));
            }
            // What is limited is requested, unless something else is said.
            for (name, limit) in at(container, "resources.limits").and_then(Value::as_object).cloned().into_iter().flatten() {
                crate::machinery::notation::value::object(&mut container["resources"], "requests").entry(name).or_insert(limit);
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
    let containers = list(pod, "spec.containers").iter().chain(list(pod, "spec.initContainers"));
    let resources: Vec<&Value> = containers.map(|c| &c["resources"]).collect();
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
        crate::machinery::notation::value::object(secret, "data").insert(key, json!(encoded));
    }
    remove(secret, "stringData");
}

/// The real server's range.
const NODE_PORTS: std::ops::Range<u16> = 30000..32768;

/// Service addresses are loopback addresses too; nothing answers there.
fn fill_service(service: &mut Value) {
    let mut random = rand::rng();
    let kind = text(service, "spec.type").to_owned();
    if kind != "ExternalName" {
        default(service, "spec.internalTrafficPolicy", "Cluster");
        default(service, "spec.ipFamilies", json!(["IPv4"]));
        default(service, "spec.ipFamilyPolicy", "SingleStack");
    }
    let outside = matches!(kind.as_str(), "NodePort" | "LoadBalancer");
    if outside {
        default(service, "spec.externalTrafficPolicy", "Cluster");
    }
    if kind != "ExternalName" && text(service, "spec.clusterIP").is_empty() {
        let ip = format!("127.97.{}.{}", random.random_range(0..=255), random.random_range(1..=254));
        set(service, "spec.clusterIP", json!(ip));
    }
    let ip = text(service, "spec.clusterIP").to_owned();
    if !ip.is_empty() {
        default(service, "spec.clusterIPs", json!([ip]));
    }
    for port in service.pointer_mut("/spec/ports").and_then(Value::as_array_mut).into_iter().flatten() {
        let number = port["port"].clone();
        default(port, "targetPort", number);
        if outside {
            default(port, "nodePort", random.random_range(NODE_PORTS));
        }
    }
}

/// What a container may have at most it gets by default; the default, or else the least, is requested by default.
fn fill_limits(range: &mut Value) {
    for limit in range.pointer_mut("/spec/limits").and_then(Value::as_array_mut).into_iter().flatten().filter(|l| l["type"] == "Container") {
        for (from, to) in [("max", "default"), ("default", "defaultRequest"), ("min", "defaultRequest")] {
            for (name, value) in at(limit, from).and_then(Value::as_object).cloned().into_iter().flatten() {
                crate::machinery::notation::value::object(limit, to).entry(name).or_insert(value);
            }
        }
    }
}

fn fill_job(job: &mut Value) {
    // Without a number of completions, a Job of several is done when one of them is.
    if at(job, "spec.completions").is_none() && at(job, "spec.parallelism").is_none() {
        default(job, "spec.completions", 1);
    }
    default(job, "spec.parallelism", 1);
    let uid = text(job, "metadata.uid").to_owned();
    let name = text(job, "metadata.name").to_owned();
    default(job, "spec.selector", json!({"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}));
    let labels = json!({"batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": name, "controller-uid": uid, "job-name": name});
    default(job, "spec.template.metadata.labels", json!({}));
    for (key, value) in labels.as_object().into_iter().flatten() {
        crate::machinery::notation::value::object(&mut job["spec"]["template"]["metadata"], "labels").entry(key.clone()).or_insert(value.clone());
    }
    if at(job, "metadata.labels").is_none() {
        let inherited = job["spec"]["template"]["metadata"]["labels"].clone();
        set(job, "metadata.labels", inherited);
    }
}

/// [`default`] for the paths of the tables above.
fn default_at(value: &mut Value, path: &str, to: &str) {
    let (head, rest) = path.split_once('.').unwrap_or((path, ""));
    match (head, head.strip_suffix('?')) {
        ("*", _) => value.as_array_mut().into_iter().flatten().for_each(|element| default_at(element, rest, to)),
        (_, Some(name)) => {
            if let Some(inner) = value.get_mut(name).filter(|v| !v.is_null()) {
                default_at(inner, rest, to);
            }
        }
        _ if rest.contains(['*', '?']) => {
            if let Some(inner) = value.get_mut(head) {
                default_at(inner, rest, to);
            }
        }
        _ if at(value, path).is_none() => set(value, path, from_json(to)),
        _ => {}
    }
}

fn fill_definition(crd: &mut Value) {
    let kind = text(crd, "spec.names.kind").to_owned();
    default(crd, "spec.names.singular", kind.to_lowercase());
    if !kind.is_empty() {
        default(crd, "spec.names.listKind", format!("{kind}List"));
    }
    default(crd, "spec.conversion", json!({"strategy": "None"}));
}
