//! What the server fills in, kind by kind, and who owns it. The least that a client may say is sent, and nothing is kept.

use serde_json::{Value, json};

use crate::harness::cases;

fn template() -> Value {
    json!({"metadata": {"labels": {"x": "y"}}, "spec": {"containers": [{"name": "c", "image": "nginx", "ports": [{"containerPort": 80}]}]}})
}

cases! {
    pod: |t| {
        let pod = json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "c", "image": "nginx:1"}]}});
        t.post("/api/v1/namespaces/{ns}/pods?dryRun=All", pod).with_managed_fields().await;
    }
    pod_with_much: |t| {
        let pod = json!({"metadata": {"name": "a"}, "spec": {
            "initContainers": [{"name": "i", "image": "busybox"}],
            "containers": [{"name": "c", "image": "registry.example/x:latest", "ports": [{"containerPort": 80}],
                "env": [{"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
                "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
                "livenessProbe": {"httpGet": {"port": 80}},
                "volumeMounts": [{"name": "v", "mountPath": "/v"}]}],
            "volumes": [{"name": "v", "configMap": {"name": "m"}}, {"name": "s", "secret": {"secretName": "s"}}, {"name": "e", "emptyDir": {}}]}});
        t.post("/api/v1/namespaces/{ns}/pods?dryRun=All", pod).await;
    }
    pod_of_a_class: |t| {
        for (requests, limits) in [(json!({"cpu": "100m"}), json!({})), (json!({"cpu": "1", "memory": "1Gi"}), json!({"cpu": "1", "memory": "1Gi"}))] {
            let pod = json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "c", "image": "i:1", "resources": {"requests": requests, "limits": limits}}]}});
            t.post("/api/v1/namespaces/{ns}/pods?dryRun=All", pod).only(&["/status", "/spec/containers/0/resources"]).await;
        }
    }
    deployment: |t| {
        let object = json!({"metadata": {"name": "a"}, "spec": {"selector": {"matchLabels": {"x": "y"}}, "template": template()}});
        t.post("/apis/apps/v1/namespaces/{ns}/deployments?dryRun=All", object).with_managed_fields().await;
    }
    replica_set: |t| {
        let object = json!({"metadata": {"name": "a"}, "spec": {"selector": {"matchLabels": {"x": "y"}}, "template": template()}});
        t.post("/apis/apps/v1/namespaces/{ns}/replicasets?dryRun=All", object).await;
    }
    stateful_set: |t| {
        let claims = json!([{"metadata": {"name": "d"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]);
        let object = json!({"metadata": {"name": "a"}, "spec": {"serviceName": "s", "selector": {"matchLabels": {"x": "y"}}, "template": template(), "volumeClaimTemplates": claims}});
        t.post("/apis/apps/v1/namespaces/{ns}/statefulsets?dryRun=All", object).await;
    }
    daemon_set: |t| {
        let object = json!({"metadata": {"name": "a"}, "spec": {"selector": {"matchLabels": {"x": "y"}}, "template": template()}});
        t.post("/apis/apps/v1/namespaces/{ns}/daemonsets?dryRun=All", object).await;
    }
    job: |t| {
        let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i:1"}]}});
        t.post("/apis/batch/v1/namespaces/{ns}/jobs?dryRun=All", json!({"metadata": {"name": "a"}, "spec": {"template": template}})).await;
    }
    job_in_parallel: |t| {
        let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i:1"}]}});
        t.post("/apis/batch/v1/namespaces/{ns}/jobs?dryRun=All", json!({"metadata": {"name": "a"}, "spec": {"parallelism": 3, "template": template}})).only(&["/spec/parallelism", "/spec/completions"]).await;
    }
    cron_job: |t| {
        let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i:1"}]}});
        let object = json!({"metadata": {"name": "a"}, "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template}}}});
        t.post("/apis/batch/v1/namespaces/{ns}/cronjobs?dryRun=All", object).await;
    }
    service: |t| {
        let object = json!({"metadata": {"name": "a"}, "spec": {"selector": {"x": "y"}, "ports": [{"port": 80}]}});
        t.post("/api/v1/namespaces/{ns}/services", object).with_managed_fields().await;
    }
    service_without_an_address: |t| {
        let object = json!({"metadata": {"name": "a"}, "spec": {"clusterIP": "None", "selector": {"x": "y"}}});
        t.post("/api/v1/namespaces/{ns}/services", object).await;
    }
    service_on_every_node: |t| {
        let object = json!({"metadata": {"name": "a"}, "spec": {"type": "NodePort", "selector": {"x": "y"}, "ports": [{"port": 80, "targetPort": "http"}]}});
        t.post("/api/v1/namespaces/{ns}/services", object).await;
    }
    service_elsewhere: |t| {
        let object = json!({"metadata": {"name": "a"}, "spec": {"type": "ExternalName", "externalName": "example.com"}});
        t.post("/api/v1/namespaces/{ns}/services", object).await;
    }
    secret: |t| {
        t.post("/api/v1/namespaces/{ns}/secrets?dryRun=All", json!({"metadata": {"name": "a"}, "data": {"b": "dg=="}, "stringData": {"k": "v"}})).with_managed_fields().await;
    }
    service_account: |t| {
        t.post("/api/v1/namespaces/{ns}/serviceaccounts?dryRun=All", json!({"metadata": {"name": "a"}})).await;
    }
    claim: |t| {
        let object = json!({"metadata": {"name": "a"}, "spec": {"storageClassName": "none", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
        t.post("/api/v1/namespaces/{ns}/persistentvolumeclaims?dryRun=All", object).await;
    }
    volume: |t| {
        let object = json!({"metadata": {"name": "a-{u}"}, "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/x"}}});
        t.post("/api/v1/persistentvolumes?dryRun=All", object).await;
    }
    storage_class: |t| {
        t.post("/apis/storage.k8s.io/v1/storageclasses?dryRun=All", json!({"metadata": {"name": "a-{u}"}, "provisioner": "example.com/none"})).await;
    }
    quota: |t| {
        t.post("/api/v1/namespaces/{ns}/resourcequotas?dryRun=All", json!({"metadata": {"name": "a"}, "spec": {"hard": {"pods": "3", "requests.cpu": "1500m"}}})).await;
    }
    limit_range: |t| {
        let limits = json!([{"type": "Container", "default": {"cpu": "1"}, "max": {"cpu": "2"}}]);
        t.post("/api/v1/namespaces/{ns}/limitranges?dryRun=All", json!({"metadata": {"name": "a"}, "spec": {"limits": limits}})).await;
    }
    network_policy: |t| {
        let path = "/apis/networking.k8s.io/v1/namespaces/{ns}/networkpolicies?dryRun=All";
        t.post(path, json!({"metadata": {"name": "a"}, "spec": {"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]}})).await;
        t.post(path, json!({"metadata": {"name": "a"}, "spec": {"podSelector": {}, "egress": []}})).await;
    }
    ingress: |t| {
        let backend = json!({"service": {"name": "s", "port": {"number": 80}}});
        let object = json!({"metadata": {"name": "a"}, "spec": {"rules": [{"host": "example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]}});
        t.post("/apis/networking.k8s.io/v1/namespaces/{ns}/ingresses?dryRun=All", object).await;
    }
    disruption_budget: |t| {
        let object = json!({"metadata": {"name": "a"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"x": "y"}}}});
        t.post("/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets?dryRun=All", object).await;
    }
    role_and_binding: |t| {
        let role = json!({"metadata": {"name": "a"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]});
        t.post("/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles?dryRun=All", role).await;
        let binding = json!({"metadata": {"name": "a"}, "roleRef": {"kind": "Role", "name": "a"}, "subjects": [{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s", "namespace": "{ns}"}]});
        t.post("/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings?dryRun=All", binding).await;
    }
    lease: |t| {
        let object = json!({"metadata": {"name": "a"}, "spec": {"holderIdentity": "me", "leaseDurationSeconds": 5, "renewTime": "2026-01-02T03:04:05.000000Z"}});
        t.post("/apis/coordination.k8s.io/v1/namespaces/{ns}/leases?dryRun=All", object).await;
    }
    endpoint_slice: |t| {
        let object = json!({"metadata": {"name": "a"}, "addressType": "IPv4", "endpoints": [{"addresses": ["10.1.2.3"]}], "ports": [{"port": 80}]});
        t.post("/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices?dryRun=All", object).await;
    }
    event: |t| {
        let object = json!({"metadata": {"name": "a"}, "involvedObject": {"kind": "Pod", "namespace": "{ns}", "name": "p"}, "reason": "Because", "message": "m", "type": "Normal"});
        t.post("/api/v1/namespaces/{ns}/events?dryRun=All", object).await;
    }
    node: |t| {
        t.post("/api/v1/nodes?dryRun=All", json!({"metadata": {"name": "n-{u}"}})).await;
    }
}
