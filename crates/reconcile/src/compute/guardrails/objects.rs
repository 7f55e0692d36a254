//! The guardrails as objects. Pure: bounds in, objects out.

use std::collections::BTreeSet;

use ipnet::IpNet;
use members::Kind;
use serde_json::{Value, json};
use store::ClusterIntent;
use types::{
    Bytes, InstanceType, MilliCpu,
    quantity::{GIB, MIB},
};

use crate::compute::{
    bounds::Bounds,
    label,
    pod::{DISK_LIMIT, DISK_REQUEST},
};

const NAME: &str = "kubekcloud";
/// What KubeVirt is most likely to add to a VM's memory, with room for its later versions: it is never the tenant's.
const VM_OVERHEAD: i64 = 512 * MIB;
/// The same for each core.
const VM_OVERHEAD_PER_CORE: i64 = 16 * MIB;
/// The same as a part of the guest's memory.
const VM_OVERHEAD_SHARE: i64 = 256;
/// CPU of a launcher's helper containers.
const VM_CPU_OVERHEAD: i64 = 200;
/// What a launcher may have set aside on its node's disk, far more than the 50 MB that KubeVirt asks for. Never a limit: a
/// guest writes its boot disk there, and a launcher over its limit is evicted with it.
const VM_DISK_REQUEST: i64 = 2 * GIB;

/// A limit on objects that nobody has. A create that is cut off after its admission stays charged, and the quota's
/// status is wrong until its controller counts anew: every few minutes, or when the limits change. So we change one.
/// Why so: docs/adr/0004-recount.md.
const RECOUNT: &str = "count/recounts.kubekcloud.io";

/// Each family's addresses, and those of them that are private.
const ALL: [(&str, &[&str]); 2] = [
    ("0.0.0.0/0", &["10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"]),
    ("::/0", &["fc00::/7", "fe80::/10"]),
];

/// One object to apply.
pub(in crate::compute) struct Guardrail {
    pub(in crate::compute) kind: Kind,
    pub(in crate::compute) name: &'static str,
    pub(in crate::compute) object: Value,
}

/// Builds them all.
pub(in crate::compute) fn build(installation: &str, cluster: &ClusterIntent, recounts: u32, deny: &[IpNet]) -> Vec<Guardrail> {
    let labels = label::of_cluster(installation, cluster);
    let object = |kind: Kind, api_version: &str, name: &'static str, spec: Value| Guardrail {
        kind,
        name,
        object: json!({
            "apiVersion": api_version,
            "kind": kind.as_str(),
            "metadata": {"name": name, "namespace": cluster.namespace, "labels": labels},
            "spec": spec,
        }),
    };
    let policy = |name, spec| object(Kind::NetworkPolicy, "networking.k8s.io/v1", name, spec);
    let bounds = Bounds::of(cluster, recounts);
    vec![
        object(Kind::ResourceQuota, "v1", NAME, json!({"hard": quota(&bounds)})),
        object(Kind::LimitRange, "v1", NAME, json!({"limits": [limits(&bounds)]})),
        policy("kubekcloud-default-deny", json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})),
        policy(
            "kubekcloud-same-namespace",
            json!({
                "podSelector": {},
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [{"from": [{"podSelector": {}}]}],
                "egress": [{"to": [{"podSelector": {}}]}],
            }),
        ),
        policy("kubekcloud-dns", json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": dns()})),
        policy("kubekcloud-internet", json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": internet(deny)}]})),
    ]
}

/// Wherever a member has its DNS: most in kube-system, OpenShift in a namespace of its own, both maybe behind a cache on
/// each node, at the address that NodeLocal DNSCache always has. What is not there opens nothing.
fn dns() -> Value {
    let ports = |port: u16| json!([{"port": port, "protocol": "UDP"}, {"port": port, "protocol": "TCP"}]);
    let pods = |namespace: &str, name: &str, value: &str| {
        json!([{
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "podSelector": {"matchLabels": {name: value}},
        }])
    };
    json!([
        {"to": pods("kube-system", "k8s-app", "kube-dns"), "ports": ports(53)},
        {"to": pods("openshift-dns", "dns.operator.openshift.io/daemonset-dns", "default"), "ports": ports(5353)},
        {"to": [{"ipBlock": {"cidr": "169.254.20.10/32"}}], "ports": ports(53)},
    ])
}

/// Everything but private addresses, and what the operator denies besides.
fn internet(deny: &[IpNet]) -> Value {
    let blocks = ALL.map(|(all, private)| {
        let is_within = |net: &&IpNet| all.contains('.') == matches!(net, IpNet::V4(_));
        let mut except: BTreeSet<String> = private.iter().map(|&cidr| cidr.to_owned()).collect();
        except.extend(deny.iter().filter(is_within).map(|net| net.trunc().to_string()));
        // Nothing is left of a family that is denied as a whole, and an exception as large as its block is refused.
        (!except.contains(all)).then(|| json!({"ipBlock": {"cidr": all, "except": except}}))
    });
    blocks.into_iter().flatten().collect()
}

fn quota(bounds: &Bounds) -> Value {
    let Bounds { namespace: _, instance_type, cpu, memory, disk, instances, recounts } = bounds;
    let times = |each: i64, count: i64| each.saturating_mul(count);
    let storage = Bytes(times(disk.map_or(0, |disk| disk.0), *instances)).kubernetes();
    let claims = if disk.is_some() { *instances } else { 0 };
    let mut hard = json!({
        "persistentvolumeclaims": claims.to_string(),
        "requests.storage": storage,
        "services.loadbalancers": "0",
        "services.nodeports": "0",
    });
    if recounts % 2 == 1 {
        hard[RECOUNT] = json!("0");
    }
    match instance_type {
        InstanceType::Container => {
            let cpu = MilliCpu(times(cpu.0, *instances)).kubernetes();
            let memory = Bytes(times(memory.0, *instances)).kubernetes();
            hard["requests.cpu"] = json!(cpu);
            hard["limits.cpu"] = json!(cpu);
            hard["requests.memory"] = json!(memory);
            hard["limits.memory"] = json!(memory);
            hard["requests.ephemeral-storage"] = json!(Bytes(times(DISK_REQUEST.0, *instances)).kubernetes());
            hard["limits.ephemeral-storage"] = json!(Bytes(times(DISK_LIMIT.0, *instances)).kubernetes());
            hard["pods"] = json!(instances.to_string());
        }
        // Never limits: KubeVirt would then set some. One launcher more than there are VMs: a migration needs two.
        InstanceType::Vm => {
            let launchers = instances.saturating_add(1);
            hard["requests.cpu"] = json!(MilliCpu(times(cpu.0 + VM_CPU_OVERHEAD, launchers)).kubernetes());
            hard["requests.memory"] = json!(Bytes(times(launcher_memory(bounds), launchers)).kubernetes());
            hard["requests.ephemeral-storage"] = json!(Bytes(times(VM_DISK_REQUEST, launchers)).kubernetes());
            hard["count/virtualmachines.kubevirt.io"] = json!(instances.to_string());
        }
    }
    hard
}

fn launcher_memory(bounds: &Bounds) -> i64 {
    let cores = (bounds.cpu.0 + 999) / 1000;
    let overhead = VM_OVERHEAD + VM_OVERHEAD_PER_CORE * cores + bounds.memory.0 / VM_OVERHEAD_SHARE;
    bounds.memory.0.saturating_add(overhead)
}

/// A small default lets helper Pods in. For VMs it names requests only: a limit would be put on their launchers.
fn limits(bounds: &Bounds) -> Value {
    let cpu = MilliCpu(bounds.cpu.0.min(100)).kubernetes();
    let memory = Bytes(bounds.memory.0.min(128 * MIB)).kubernetes();
    match bounds.instance_type {
        InstanceType::Container => {
            let small = |disk: Bytes| json!({"cpu": cpu, "memory": memory, "ephemeral-storage": disk.kubernetes()});
            json!({
                "type": "Container",
                "max": {"cpu": bounds.cpu.kubernetes(), "memory": bounds.memory.kubernetes(), "ephemeral-storage": DISK_LIMIT.kubernetes()},
                "default": small(DISK_LIMIT),
                "defaultRequest": small(DISK_REQUEST),
            })
        }
        InstanceType::Vm => json!({"type": "Container", "defaultRequest": {"cpu": cpu, "memory": memory}}),
    }
}
