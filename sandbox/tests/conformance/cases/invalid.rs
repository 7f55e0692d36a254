//! Objects that mean nothing: the 422 and its causes, for what people get wrong most.

use serde_json::{Value, json};

use crate::harness::{Talk, cases};

const PODS: &str = "/api/v1/namespaces/{ns}/pods?dryRun=All";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/{ns}/deployments?dryRun=All";

async fn pod(t: &mut Talk, spec: Value) {
    t.post(PODS, json!({"metadata": {"name": "a"}, "spec": spec})).await;
}

fn deployment(labels: Value) -> Value {
    json!({"metadata": {"name": "a"}, "spec": {"selector": {"matchLabels": {"x": "y"}},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}}})
}

cases! {
    pod_without_a_spec: |t| {
        t.post(PODS, json!({"metadata": {"name": "a"}})).await;
    }
    pod_without_containers: |t| {
        pod(t, json!({"containers": []})).await;
    }
    pod_without_an_image: |t| {
        pod(t, json!({"containers": [{"name": "c"}]})).await;
    }
    pod_with_a_wrong_container_name: |t| {
        pod(t, json!({"containers": [{"name": "C_1", "image": "i:1"}, {"image": "i:1"}]})).await;
    }
    pod_with_a_container_twice: |t| {
        pod(t, json!({"containers": [{"name": "c", "image": "i:1"}, {"name": "c", "image": "i:1"}]})).await;
    }
    pod_with_a_wrong_policy: |t| {
        pod(t, json!({"restartPolicy": "Sometimes", "dnsPolicy": "Never", "containers": [{"name": "c", "image": "i:1", "imagePullPolicy": "Often"}]})).await;
    }
    pod_with_a_bad_quantity: |t| {
        pod(t, json!({"containers": [{"name": "c", "image": "i:1", "resources": {"requests": {"cpu": "much"}}}]})).await;
    }
    pod_that_requests_more_than_its_limit: |t| {
        pod(t, json!({"containers": [{"name": "c", "image": "i:1", "resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}]})).await;
    }
    pod_with_a_negative_quantity: |t| {
        pod(t, json!({"containers": [{"name": "c", "image": "i:1", "resources": {"requests": {"memory": "-1"}}}]})).await;
    }
    pod_with_a_port_too_high: |t| {
        pod(t, json!({"containers": [{"name": "c", "image": "i:1", "ports": [{"containerPort": 70000}]}]})).await;
    }
    pod_with_an_unknown_volume: |t| {
        pod(t, json!({"containers": [{"name": "c", "image": "i:1", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]})).await;
    }
    pod_with_a_negative_grace_period: |t| {
        pod(t, json!({"activeDeadlineSeconds": 0, "containers": [{"name": "c", "image": "i:1"}]})).await;
    }
    label_value: |t| {
        t.post("/api/v1/namespaces/{ns}/configmaps", json!({"metadata": {"name": "a", "labels": {"x": "not valid"}}})).await;
        t.post("/api/v1/namespaces/{ns}/configmaps", json!({"metadata": {"name": "a", "labels": {"-y": "z"}}})).await;
    }
    label_value_too_long: |t| {
        t.post("/api/v1/namespaces/{ns}/configmaps", json!({"metadata": {"name": "a", "labels": {"x": "l".repeat(64)}}})).await;
    }
    annotation_key: |t| {
        t.post("/api/v1/namespaces/{ns}/configmaps", json!({"metadata": {"name": "a", "annotations": {"not a key": "z"}}})).await;
    }
    annotations_too_large: |t| {
        t.post("/api/v1/namespaces/{ns}/configmaps", json!({"metadata": {"name": "a", "annotations": {"k": "x".repeat(300_000)}}})).only(&["/code", "/details", "/message"]).await;
    }
    finalizer: |t| {
        t.post("/api/v1/namespaces/{ns}/configmaps", json!({"metadata": {"name": "a", "finalizers": ["unqualified"]}})).await;
    }
    owner_reference: |t| {
        t.post("/api/v1/namespaces/{ns}/configmaps", json!({"metadata": {"name": "a", "ownerReferences": [{"apiVersion": "v1", "kind": "", "name": "", "uid": ""}]}})).await;
    }
    config_map_key: |t| {
        t.post("/api/v1/namespaces/{ns}/configmaps", json!({"metadata": {"name": "a"}, "data": {"not a key": "v"}})).await;
    }
    secret_key: |t| {
        t.post("/api/v1/namespaces/{ns}/secrets", json!({"metadata": {"name": "a"}, "stringData": {"not a key": "v"}})).await;
    }
    secret_of_a_type_that_wants_keys: |t| {
        t.post("/api/v1/namespaces/{ns}/secrets", json!({"metadata": {"name": "a"}, "type": "kubernetes.io/tls"})).await;
    }
    secret_that_is_not_base64: |t| {
        t.post("/api/v1/namespaces/{ns}/secrets", json!({"metadata": {"name": "a"}, "data": {"k": "***"}})).await;
    }
    deployment_without_a_selector: |t| {
        t.post(DEPLOYMENTS, json!({"metadata": {"name": "a"}, "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "i:1"}]}}}})).await;
    }
    deployment_that_selects_others: |t| {
        t.post(DEPLOYMENTS, deployment(json!({"x": "z"}))).await;
    }
    deployment_with_less_than_nothing: |t| {
        let mut object = deployment(json!({"x": "y"}));
        object["spec"]["replicas"] = json!(-1);
        t.post(DEPLOYMENTS, object).await;
    }
    deployment_whose_pods_end: |t| {
        let mut object = deployment(json!({"x": "y"}));
        object["spec"]["template"]["spec"]["restartPolicy"] = json!("Never");
        t.post(DEPLOYMENTS, object).await;
    }
    deployment_without_an_image: |t| {
        let mut object = deployment(json!({"x": "y"}));
        object["spec"]["template"]["spec"]["containers"][0] = json!({"name": "c"});
        t.post(DEPLOYMENTS, object).await;
    }
    job_that_restarts_always: |t| {
        let template = json!({"spec": {"containers": [{"name": "c", "image": "i:1"}]}});
        t.post("/apis/batch/v1/namespaces/{ns}/jobs?dryRun=All", json!({"metadata": {"name": "a"}, "spec": {"template": template}})).await;
    }
    cron_job_without_a_schedule: |t| {
        let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i:1"}]}});
        t.post("/apis/batch/v1/namespaces/{ns}/cronjobs?dryRun=All", json!({"metadata": {"name": "a"}, "spec": {"jobTemplate": {"spec": {"template": template}}}})).await;
    }
    service_without_ports: |t| {
        t.post("/api/v1/namespaces/{ns}/services?dryRun=All", json!({"metadata": {"name": "a"}, "spec": {"selector": {"x": "y"}}})).await;
    }
    service_with_a_port_too_high: |t| {
        t.post("/api/v1/namespaces/{ns}/services?dryRun=All", json!({"metadata": {"name": "a"}, "spec": {"ports": [{"port": 70000}]}})).await;
    }
    service_with_nameless_ports: |t| {
        t.post("/api/v1/namespaces/{ns}/services?dryRun=All", json!({"metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}, {"port": 81}]}})).await;
    }
    service_name: |t| {
        t.post("/api/v1/namespaces/{ns}/services?dryRun=All", json!({"metadata": {"name": "1a"}, "spec": {"ports": [{"port": 80}]}})).await;
    }
    service_of_an_unknown_type: |t| {
        t.post("/api/v1/namespaces/{ns}/services?dryRun=All", json!({"metadata": {"name": "a"}, "spec": {"type": "Magic", "ports": [{"port": 80}]}})).await;
    }
    claim_without_a_size: |t| {
        t.post("/api/v1/namespaces/{ns}/persistentvolumeclaims?dryRun=All", json!({"metadata": {"name": "a"}, "spec": {"storageClassName": "none", "accessModes": ["ReadWriteOnce"]}})).await;
    }
    claim_without_a_mode: |t| {
        t.post("/api/v1/namespaces/{ns}/persistentvolumeclaims?dryRun=All", json!({"metadata": {"name": "a"}, "spec": {"storageClassName": "none", "resources": {"requests": {"storage": "1Gi"}}}})).await;
    }
    quota_with_a_bad_quantity: |t| {
        t.post("/api/v1/namespaces/{ns}/resourcequotas?dryRun=All", json!({"metadata": {"name": "a"}, "spec": {"hard": {"pods": "many"}}})).await;
    }
    binding_without_a_role: |t| {
        t.post("/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings?dryRun=All", json!({"metadata": {"name": "a"}})).await;
    }
    unknown_field_is_refused: |t| {
        t.post("/api/v1/namespaces/{ns}/configmaps?fieldValidation=Strict", json!({"metadata": {"name": "a"}, "nonsense": 1})).await;
    }
    unknown_field_is_warned_of: |t| {
        t.post("/api/v1/namespaces/{ns}/configmaps?fieldValidation=Warn", json!({"metadata": {"name": "a"}, "nonsense": 1})).await;
    }
    unknown_field_is_dropped: |t| {
        t.post("/api/v1/namespaces/{ns}/configmaps?fieldValidation=Ignore", json!({"metadata": {"name": "a"}, "nonsense": 1})).await;
    }
    field_validation_itself: |t| {
        t.post("/api/v1/namespaces/{ns}/configmaps?fieldValidation=Perhaps", json!({"metadata": {"name": "a"}})).await;
    }
}
