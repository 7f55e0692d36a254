//! `describe` of every kind that is served.

use super::tour::{Tour, has, rows};

#[test]
fn workloads_are_described_with_their_events() {
    let Some(tour) = Tour::begin("describe") else { return };
    tour.ok("create deployment d --image=nginx:1 --replicas=2 --port=80");
    tour.ok("rollout status deploy/d --timeout=180s");
    let deployment = tour.until("describe deploy d", |text| text.contains("ScalingReplicaSet"));
    has(
        &deployment,
        &[
            "Replicas:               2 desired | 2 updated | 2 total | 2 available | 0 unavailable",
            "StrategyType:           RollingUpdate",
            "RollingUpdateStrategy:  25% max unavailable, 25% max surge",
            "Available      True    MinimumReplicasAvailable",
            "Progressing    True    NewReplicaSetAvailable",
            "OldReplicaSets:  <none>",
            "NewReplicaSet:   d-",
            "(2/2 replicas created)",
            "Port:          80/TCP",
        ],
    );
    has(
        &tour.until("describe rs -l app=d", |text| text.contains("SuccessfulCreate")),
        &["Controlled By:  Deployment/d", "Replicas:       2 current / 2 desired", "Pods Status:    2 Running / 0 Waiting / 0 Succeeded / 0 Failed"],
    );
    let pod = tour.ok("get pods -l app=d -o jsonpath={.items[0].metadata.name}");
    let pod = tour.until(&format!("describe pod {pod}"), |text| text.contains("Successfully assigned"));
    has(
        &pod,
        &[
            "Status:           Running",
            "IP:               127.",
            "Controlled By:  ReplicaSet/d-",
            "Image:          nginx:1",
            "Ready:          True",
            "Restart Count:  0",
            "QoS Class: ",
            "BestEffort",
            "node.kubernetes.io/not-ready:NoExecute op=Exists for 300s",
            "PodScheduled ",
            "State:          Running",
            "Service Account:  default",
            "Node:             ",
        ],
    );
    tour.ok("expose deploy d --port=80");
    let service = tour.until("describe svc d", |text| !text.contains("Endpoints:                \n") || !tour.real());
    // How wide the first column is depends on kubectl's version.
    let service: String = rows(&service).iter().map(|row| row.join(" ") + "\n").collect();
    has(&service, &["Type: ClusterIP\n", "Selector: app=d\n", "Port: <unset> 80/TCP\n", "Session Affinity: None\n"]);
    tour.ok("create job j --image=busybox -- true");
    has(
        &tour.until("describe job j", |text| text.contains("SuccessfulCreate")),
        &["Parallelism:      1", "Completions:      1", "Completion Mode:  NonIndexed"],
    );
    tour.ok("create cronjob cj --image=busybox --schedule='0 0 1 1 *' -- true");
    has(
        &tour.ok("describe cj cj"),
        &["Schedule:                      0 0 1 1 *", "Concurrency Policy:            Allow", "Successful Job History Limit:  3"],
    );
}

#[test]
fn configuration_and_policies_are_described() {
    let Some(tour) = Tour::begin("described") else { return };
    let own = tour.namespace().to_owned();
    tour.ok("create cm m --from-literal=a=b");
    has(&tour.ok("describe cm m"), &["Data\n====\na:\n----\nb\n", "BinaryData\n===="]);
    tour.ok("create secret generic s --from-literal=a=bcd");
    has(&tour.ok("describe secret s"), &["Type:  Opaque", "a:  3 bytes"]);
    tour.ok("create sa bob");
    has(&tour.ok("describe sa bob"), &["Name:                bob", "Image pull secrets:  <none>"]);
    tour.ok("create role r --verb=get --resource=pods");
    has(&tour.ok("describe role r"), &["pods       []                 []              [get]"]);
    tour.ok("create rolebinding rb --role=r --user=ann");
    has(&tour.ok("describe rolebinding rb"), &["Kind:  Role", "User  ann"]);
    tour.ok("create quota q --hard=cpu=1,pods=3");
    has(&tour.until("describe quota q", |text| text.contains("pods")), &["Used  Hard", "pods        0     3"]);
    tour.ok_with("create -f -", "{apiVersion: v1, kind: LimitRange, metadata: {name: l}, spec: {limits: [{type: Container, default: {cpu: 500m}}]}}");
    has(&tour.ok("describe limits l"), &["Container", "500m"]);
    has(&tour.ok(&format!("describe ns {own}")), &["Status:       Active", "Resource Quotas", "Resource Limits"]);
    tour.ok("create pdb b --selector=app=x --min-available=1");
    tour.ok("create ingress i --rule=example.com/=m:80");
    has(&tour.ok("describe ingress i"), &["example.com", "/   m:80"]);
    has(&tour.ok("describe pdb b"), &["Min available:  1", "Selector:       app=x"]);
    tour.ok_with(
        "create -f -",
        "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: np}, spec: {podSelector: {}, policyTypes: [Ingress]}}",
    );
    has(
        &tour.ok("describe netpol np"),
        &["PodSelector:     <none> (Allowing the specific traffic to all pods in this namespace)", "Policy Types: Ingress"],
    );
    tour.ok_with("create -f -", "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: c}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}");
    has(&tour.ok("describe pvc c"), &["VolumeMode:    Filesystem", "Used By:       <none>"]);
}

#[test]
fn what_belongs_to_no_namespace_is_described() {
    let Some(tour) = Tour::begin("wide") else { return };
    let own = tour.namespace().to_owned();
    let node = tour.ok("get nodes -o jsonpath={.items[0].metadata.name}");
    has(
        &tour.ok(&format!("describe node {node}")),
        &[
            "Roles:              ",
            "Ready            True",
            "Capacity:",
            "Allocatable:",
            "System Info:",
            "Kubelet Version:",
            "Non-terminated Pods:",
            "Allocated resources:",
            "Lease:",
        ],
    );
    tour.ok(&format!("create clusterrole {own} --verb=get --resource=nodes"));
    has(&tour.ok(&format!("describe clusterrole {own}")), &["nodes      []                 []              [get]"]);
    tour.ok(&format!("create clusterrolebinding {own} --clusterrole={own} --group=all"));
    has(&tour.ok(&format!("describe clusterrolebinding {own}")), &["Group  all"]);
    tour.ok(&format!("create priorityclass {own} --value=7"));
    has(&tour.ok(&format!("describe pc {own}")), &["Value:             7", "GlobalDefault:     false"]);
    tour.ok_with(
        "create -f -",
        &format!("{{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {{name: {own}}}, provisioner: example.com/none}}"),
    );
    has(
        &tour.ok(&format!("describe sc {own}")),
        &["Provisioner:           example.com/none", "ReclaimPolicy:         Delete", "VolumeBindingMode:     Immediate"],
    );
    tour.ok_with("create -f -", &format!("{{apiVersion: v1, kind: PersistentVolume, metadata: {{name: {own}}}, spec: {{capacity: {{storage: 1Gi}}, accessModes: [ReadWriteOnce], hostPath: {{path: /none}}}}}}"));
    has(&tour.ok(&format!("describe pv {own}")), &["Reclaim Policy:  Retain", "Capacity:        1Gi", "Type:          HostPath"]);
    tour.ok(&format!("delete clusterrole,clusterrolebinding,pc,sc,pv {own} --timeout=180s"));
}
