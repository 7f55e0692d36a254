//! Merge keys: which lists are keyed, by what, and which maps are atomic. Facts of the Kubernetes API, for server-side
//! apply and strategic merge. A field that is not listed is a granular map, an atomic list or a scalar, as its value says.

use std::collections::HashMap;
use std::sync::LazyLock;

/// How a field's value is owned and merged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Rule {
    /// As its value says: a map key by key, a list as a whole.
    Plain,
    /// As a whole, even when it is a map.
    Atomic,
    /// A list of distinct scalars, each an item of its own.
    Set,
    /// A list of maps, told apart by these keys.
    Keyed(&'static [&'static str]),
}

/// One field of a type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) rule: Rule,
    /// The merge key of strategic merge patches; `""` replaces, `"*"` merges scalars.
    pub(crate) strategic: &'static str,
    /// The type of the value, or of a list's elements; `""` when nothing special is in it.
    pub(crate) child: &'static str,
}

const PLAIN: Field = Field { rule: Rule::Plain, strategic: "", child: "" };

/// Type, field, rule for apply, strategic merge key, type inside.
type Line = (&'static str, &'static str, Rule, &'static str, &'static str);
use Rule::{Atomic, Keyed, Plain, Set};

const NAME: Rule = Keyed(&["name"]);
const TYPE: Rule = Keyed(&["type"]);

#[rustfmt::skip]
const TABLE: &[Line] = &[
    ("*", "metadata", Plain, "", "ObjectMeta"),
    ("*", "status", Plain, "", "Status"),
    ("Custom", "status", Plain, "", "CustomStatus"),
    ("Status", "conditions", TYPE, "type", ""),
    ("CustomStatus", "conditions", Plain, "type", ""),
    ("ObjectMeta", "ownerReferences", Keyed(&["uid"]), "uid", "OwnerReference"),
    ("ObjectMeta", "finalizers", Set, "*", ""),
    // Pods and what holds a Pod template
    ("Pod", "spec", Plain, "", "PodSpec"),
    ("Pod", "status", Plain, "", "PodStatus"),
    ("PodStatus", "conditions", TYPE, "type", ""),
    ("PodStatus", "podIPs", Keyed(&["ip"]), "ip", ""),
    ("PodStatus", "hostIPs", Plain, "ip", ""),
    ("Deployment", "spec", Plain, "", "WorkloadSpec"),
    ("ReplicaSet", "spec", Plain, "", "WorkloadSpec"),
    ("DaemonSet", "spec", Plain, "", "WorkloadSpec"),
    ("StatefulSet", "spec", Plain, "", "WorkloadSpec"),
    ("Job", "spec", Plain, "", "WorkloadSpec"),
    ("CronJob", "spec", Plain, "", "CronJobSpec"),
    ("CronJobSpec", "jobTemplate", Plain, "", "JobTemplate"),
    ("JobTemplate", "metadata", Plain, "", "ObjectMeta"),
    ("JobTemplate", "spec", Plain, "", "WorkloadSpec"),
    ("WorkloadSpec", "selector", Atomic, "", ""),
    ("WorkloadSpec", "template", Plain, "", "PodTemplate"),
    ("PodTemplate", "metadata", Plain, "", "ObjectMeta"),
    ("PodTemplate", "spec", Plain, "", "PodSpec"),
    ("PodSpec", "containers", NAME, "name", "Container"),
    ("PodSpec", "initContainers", NAME, "name", "Container"),
    ("PodSpec", "ephemeralContainers", NAME, "name", "Container"),
    ("PodSpec", "volumes", NAME, "name", "Volume"),
    ("PodSpec", "imagePullSecrets", NAME, "name", ""),
    ("PodSpec", "hostAliases", Keyed(&["ip"]), "ip", ""),
    ("PodSpec", "resourceClaims", NAME, "name", ""),
    ("PodSpec", "schedulingGates", NAME, "name", ""),
    ("PodSpec", "topologySpreadConstraints", Keyed(&["topologyKey", "whenUnsatisfiable"]), "topologyKey", "TopologySpread"),
    ("PodSpec", "nodeSelector", Atomic, "", ""),
    ("TopologySpread", "labelSelector", Atomic, "", ""),
    ("Container", "ports", Keyed(&["containerPort", "protocol"]), "containerPort", ""),
    ("Container", "env", NAME, "name", "EnvVar"),
    ("Container", "volumeMounts", Keyed(&["mountPath"]), "mountPath", ""),
    ("Container", "volumeDevices", Keyed(&["devicePath"]), "devicePath", ""),
    ("Container", "resources", Plain, "", "Resources"),
    ("Resources", "claims", NAME, "name", ""),
    ("EnvVar", "valueFrom", Plain, "", "EnvVarSource"),
    ("EnvVarSource", "configMapKeyRef", Atomic, "", ""),
    ("EnvVarSource", "secretKeyRef", Atomic, "", ""),
    ("EnvVarSource", "fieldRef", Atomic, "", ""),
    ("EnvVarSource", "resourceFieldRef", Atomic, "", ""),
    ("Volume", "projected", Plain, "", ""),
    // Services, accounts, nodes, volumes
    ("Service", "spec", Plain, "", "ServiceSpec"),
    ("ServiceSpec", "ports", Keyed(&["port", "protocol"]), "port", ""),
    ("ServiceSpec", "selector", Atomic, "", ""),
    ("ServiceAccount", "secrets", NAME, "name", ""),
    ("ServiceAccount", "imagePullSecrets", Plain, "name", ""),
    ("Namespace", "spec", Plain, "", ""),
    ("Node", "spec", Plain, "", "NodeSpec"),
    ("NodeSpec", "taints", Plain, "key", ""),
    ("NodeSpec", "podCIDRs", Set, "*", ""),
    ("Node", "status", Plain, "", "NodeStatus"),
    ("NodeStatus", "conditions", TYPE, "type", ""),
    ("NodeStatus", "addresses", TYPE, "type", ""),
    ("PersistentVolumeClaim", "spec", Plain, "", "ClaimSpec"),
    ("ClaimSpec", "selector", Atomic, "", ""),
    ("ClaimSpec", "dataSource", Atomic, "", ""),
    ("PersistentVolume", "spec", Plain, "", "VolumeSpec"),
    ("VolumeSpec", "claimRef", Atomic, "", ""),
    // Policy, discovery, extensions
    ("NetworkPolicy", "spec", Plain, "", "NetworkPolicySpec"),
    ("NetworkPolicySpec", "podSelector", Atomic, "", ""),
    ("PodDisruptionBudget", "spec", Plain, "", "BudgetSpec"),
    ("BudgetSpec", "selector", Atomic, "", ""),
    ("ResourceQuota", "spec", Plain, "", "QuotaSpec"),
    ("QuotaSpec", "scopeSelector", Atomic, "", ""),
    ("ClusterRole", "aggregationRule", Plain, "", ""),
    ("RoleBinding", "roleRef", Atomic, "", ""),
    ("ClusterRoleBinding", "roleRef", Atomic, "", ""),
    ("Ingress", "spec", Plain, "", "IngressSpec"),
    ("IngressSpec", "defaultBackend", Plain, "", ""),
    ("CustomResourceDefinition", "spec", Plain, "", "DefinitionSpec"),
    ("DefinitionSpec", "versions", Plain, "name", ""),
    ("Event", "involvedObject", Atomic, "", ""),
    ("EndpointSlice", "ports", Plain, "", ""),
];

static INDEX: LazyLock<HashMap<(&str, &str), Field>> =
    LazyLock::new(|| TABLE.iter().map(|(ty, field, rule, strategic, child)| ((*ty, *field), Field { rule: *rule, strategic, child })).collect());

const ROOTS_WITHOUT_META: &[&str] = &[
    "",
    "ObjectMeta",
    "Status",
    "CustomStatus",
    "PodSpec",
    "PodStatus",
    "WorkloadSpec",
    "CronJobSpec",
    "Container",
    "EnvVar",
    "EnvVarSource",
    "Volume",
];

/// What is known of a field of a type. Types not in the table are kinds: they have `metadata` and `status`.
pub(crate) fn field(of: &str, name: &str) -> Field {
    if of.is_empty() {
        return PLAIN;
    }
    if let Some(found) = INDEX.get(&(of, name)) {
        return *found;
    }
    if !ROOTS_WITHOUT_META.contains(&of) && !of.ends_with("Spec") && !of.ends_with("Status") {
        return INDEX.get(&("*", name)).copied().unwrap_or(PLAIN);
    }
    PLAIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pod_lists_are_keyed_wherever_a_template_stands() {
        let template = field("WorkloadSpec", "template").child;
        let spec = field(template, "spec").child;
        assert_eq!(field(spec, "containers").rule, Keyed(&["name"]));
        assert_eq!(field(field(spec, "containers").child, "command").rule, Plain);
        assert_eq!(field("Custom", "metadata").child, "ObjectMeta");
        assert_eq!(field("ConfigMap", "metadata").child, "ObjectMeta");
        assert_eq!(field("PodSpec", "status").child, "");
    }
}
