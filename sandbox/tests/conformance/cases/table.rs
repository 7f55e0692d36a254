//! Tables and metadata only: what `kubectl get` asks for.

use serde_json::json;

use crate::harness::cases;

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
const METADATA: &str = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json";
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json";
const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";

const RESOURCES: &[&str] = &[
    "api/v1/namespaces",
    "api/v1/pods",
    "api/v1/services",
    "api/v1/endpoints",
    "api/v1/configmaps",
    "api/v1/secrets",
    "api/v1/serviceaccounts",
    "api/v1/events",
    "api/v1/nodes",
    "api/v1/persistentvolumeclaims",
    "api/v1/persistentvolumes",
    "api/v1/resourcequotas",
    "api/v1/limitranges",
    "apis/apps/v1/deployments",
    "apis/apps/v1/replicasets",
    "apis/apps/v1/statefulsets",
    "apis/apps/v1/daemonsets",
    "apis/batch/v1/jobs",
    "apis/batch/v1/cronjobs",
    "apis/networking.k8s.io/v1/networkpolicies",
    "apis/networking.k8s.io/v1/ingresses",
    "apis/networking.k8s.io/v1/ingressclasses",
    "apis/rbac.authorization.k8s.io/v1/roles",
    "apis/rbac.authorization.k8s.io/v1/rolebindings",
    "apis/rbac.authorization.k8s.io/v1/clusterroles",
    "apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "apis/coordination.k8s.io/v1/leases",
    "apis/storage.k8s.io/v1/storageclasses",
    "apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "apis/discovery.k8s.io/v1/endpointslices",
    "apis/policy/v1/poddisruptionbudgets",
    "apis/scheduling.k8s.io/v1/priorityclasses",
];

cases! {
    config_maps: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a"}, "data": {"k": "v"}})).quiet().await;
        t.get(&format!("{MAPS}?fieldSelector=metadata.name=a")).accept(TABLE).await;
    }
    one: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a"}, "data": {"k": "v"}})).quiet().await;
        t.get(&format!("{MAPS}/a")).accept(TABLE).await;
    }
    include_objects: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a"}, "data": {"k": "v"}})).quiet().await;
        t.get(&format!("{MAPS}?fieldSelector=metadata.name=a&includeObject=Object")).accept(TABLE).await;
        t.get(&format!("{MAPS}?fieldSelector=metadata.name=a&includeObject=None")).accept(TABLE).await;
        t.get(&format!("{MAPS}?fieldSelector=metadata.name=a&includeObject=Some")).accept(TABLE).await;
    }
    columns: |t| {
        for resource in RESOURCES {
            let (group_version, plural) = resource.rsplit_once('/').expect("a path");
            let body = t.get(&format!("/{group_version}/{plural}?limit=1")).accept(TABLE).quiet().await.body;
            let columns = body["columnDefinitions"].as_array().into_iter().flatten();
            let columns: Vec<String> = columns.map(|c| format!("{} {} {} {}", c["name"], c["type"], c["format"], c["priority"])).collect();
            t.note(resource, json!(columns));
        }
    }
    metadata_of_one: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a", "labels": {"x": "y"}}, "data": {"k": "v"}})).quiet().await;
        t.get(&format!("{MAPS}/a")).accept(METADATA).await;
    }
    metadata_of_a_list: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a", "labels": {"x": "y"}}, "data": {"k": "v"}})).quiet().await;
        t.get(&format!("{MAPS}?labelSelector=x=y")).accept(METADATA_LIST).await;
    }
}
