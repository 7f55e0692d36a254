//! Quantities: in which form each comes back, and what is none.

use serde_json::{Value, json};

use crate::harness::cases;

const PODS: &str = "/api/v1/namespaces/{ns}/pods";
const QUOTAS: &str = "/api/v1/namespaces/{ns}/resourcequotas";

fn pod(cpu: Value, memory: Value) -> Value {
    let resources = json!({"requests": {"cpu": cpu, "memory": memory}});
    json!({"metadata": {"name": "a"}, "spec": {"schedulerName": "nobody", "containers": [{"name": "c", "image": "i:1", "resources": resources}]}})
}

cases! {
    of_a_pod: |t| {
        for (cpu, memory) in [(json!("0.5"), json!("1024Mi")), (json!("1.5"), json!("1.5Gi")), (json!(2), json!("1000000")), (json!("1000m"), json!("1e9")), (json!(0.25), json!("128974848")),
            (json!("100m"), json!("123Mi")), (json!("1.500"), json!("0.5Gi")), (json!("+1"), json!("1G")), (json!("007"), json!("2048Ki")), (json!("0.0001"), json!("1025Ki"))] {
            t.post(&format!("{PODS}?dryRun=All"), pod(cpu, memory)).only(&["/spec/containers/0/resources", "/status/qosClass", "/message"]).await;
        }
    }
    that_are_none: |t| {
        for cpu in [json!("a lot"), json!("1x"), json!(""), json!("1.2.3"), json!("1 Gi"), json!("Mi"), json!("1e"), json!(true), json!({})] {
            t.post(PODS, pod(cpu, json!("1"))).only(&["/message", "/reason", "/code"]).await;
        }
    }
    of_other_kinds: |t| {
        t.post(QUOTAS, json!({"metadata": {"name": "q"}, "spec": {"hard": {"pods": 1000, "requests.cpu": "0.1", "limits.memory": "2048Mi", "requests.storage": "1000Gi"}}})).only(&["/spec"]).await;
        let limit = json!({"type": "Container", "default": {"cpu": "0.5"}, "max": {"memory": "1024Mi"}, "maxLimitRequestRatio": {"cpu": "2.0"}});
        t.post("/api/v1/namespaces/{ns}/limitranges", json!({"metadata": {"name": "l"}, "spec": {"limits": [limit]}})).only(&["/spec"]).await;
        let spec = json!({"accessModes": ["ReadWriteOnce"], "storageClassName": "none", "resources": {"requests": {"storage": "1024Mi"}}});
        t.post("/api/v1/namespaces/{ns}/persistentvolumeclaims", json!({"metadata": {"name": "c"}, "spec": spec})).only(&["/spec/resources"]).await;
        t.post(QUOTAS, json!({"metadata": {"name": "r"}, "spec": {"hard": {"pods": "many"}}})).await;
    }
    changed: |t| {
        t.post(QUOTAS, json!({"metadata": {"name": "q"}, "spec": {"hard": {"requests.cpu": "500m"}}})).quiet().await;
        let quota = "/api/v1/namespaces/{ns}/resourcequotas/q";
        t.patch("merge", quota, json!({"spec": {"hard": {"requests.cpu": "0.5"}}})).only(&["/spec"]).await;
        t.patch("strategic", quota, json!({"spec": {"hard": {"requests.cpu": 1.5}}})).only(&["/spec", "/message"]).await;
        t.patch("json", quota, json!([{"op": "add", "path": "/spec/hard/limits.cpu", "value": "2000m"}])).only(&["/spec"]).await;
        // The message shows the whole object.
        t.patch("merge", quota, json!({"spec": {"hard": {"requests.cpu": "x"}}})).only(&["/reason", "/code"]).await;
        t.patch("strategic", quota, json!({"spec": {"hard": {"requests.cpu": "x"}}})).only(&["/message", "/reason", "/code"]).await;
        let config = json!({"apiVersion": "v1", "kind": "ResourceQuota", "spec": {"hard": {"requests.memory": "1024Ki"}}});
        t.patch("apply", &format!("{quota}?fieldManager=m"), config).only(&["/spec", "/message"]).await;
    }
    of_an_empty_dir_and_a_divisor: |t| {
        let env = json!([{"name": "M", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1024Ki"}}}]);
        let pod = json!({"metadata": {"name": "a"}, "spec": {"schedulerName": "nobody", "volumes": [{"name": "v", "emptyDir": {"sizeLimit": "1024Mi"}}], "containers": [{"name": "c", "image": "i:1", "env": env}]}});
        t.post(PODS, pod).only(&["/spec/volumes/0", "/spec/containers/0/env"]).await;
    }
}
