//! The table of built-in kinds. To add one, add a line.

use super::kind::Kind;
use super::{columns, types, view};

/// The table of the definitions, whose objects are kinds themselves.
pub(crate) const CRDS: &str = "customresourcedefinitions.apiextensions.k8s.io";

/// One line: group/version, plural, Kind, short names, scope and flags, subresources, selectable fields.
///
/// Flags: `N` namespaced, `C` cluster-wide, `a` in category all, `g` has a generation, `x` custom resource,
/// `r` review (nothing is stored), `m` metrics (computed when read), `e` in category api-extensions.
type Line = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

const INVOLVED: &str = "involvedObject.kind,involvedObject.namespace,involvedObject.name,involvedObject.uid,involvedObject.apiVersion,\
    involvedObject.resourceVersion,involvedObject.fieldPath,reason,reportingComponent,source,type";
const POD_FIELDS: &str = "spec.nodeName,spec.restartPolicy,spec.schedulerName,spec.serviceAccountName,spec.hostNetwork,status.phase,status.podIP,\
    status.nominatedNodeName";

#[rustfmt::skip]
const TABLE: &[Line] = &[
    ("v1", "namespaces", "Namespace", "ns", "C", "status,finalize", "status.phase"),
    ("v1", "pods", "Pod", "po", "Nag", "status,log,exec,attach,portforward,proxy,eviction,ephemeralcontainers,binding", POD_FIELDS),
    ("v1", "services", "Service", "svc", "Na", "status", "spec.clusterIP,spec.type"),
    ("v1", "endpoints", "Endpoints", "ep", "N", "", ""),
    ("v1", "configmaps", "ConfigMap", "cm", "N", "", ""),
    ("v1", "secrets", "Secret", "", "N", "", "type"),
    ("v1", "serviceaccounts", "ServiceAccount", "sa", "N", "token", ""),
    ("v1", "events", "Event", "ev", "N", "", INVOLVED),
    ("v1", "nodes", "Node", "no", "C", "status", "spec.unschedulable"),
    ("v1", "persistentvolumeclaims", "PersistentVolumeClaim", "pvc", "N", "status", ""),
    ("v1", "persistentvolumes", "PersistentVolume", "pv", "C", "status", ""),
    ("v1", "resourcequotas", "ResourceQuota", "quota", "N", "status", ""),
    ("v1", "replicationcontrollers", "ReplicationController", "rc", "Nag", "status,scale", ""),
    ("v1", "limitranges", "LimitRange", "limits", "N", "", ""),
    ("apps/v1", "deployments", "Deployment", "deploy", "Nag", "status,scale", ""),
    ("apps/v1", "replicasets", "ReplicaSet", "rs", "Nag", "status,scale", ""),
    ("apps/v1", "statefulsets", "StatefulSet", "sts", "Nag", "status,scale", ""),
    ("apps/v1", "daemonsets", "DaemonSet", "ds", "Nag", "status", ""),
    ("apps/v1", "controllerrevisions", "ControllerRevision", "", "N", "", ""),
    ("autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa", "Na", "status", ""),
    ("batch/v1", "jobs", "Job", "", "Nag", "status", "status.successful"),
    ("batch/v1", "cronjobs", "CronJob", "cj", "Nag", "status", ""),
    ("networking.k8s.io/v1", "networkpolicies", "NetworkPolicy", "netpol", "Ng", "", ""),
    ("networking.k8s.io/v1", "ingresses", "Ingress", "ing", "Ng", "status", ""),
    ("networking.k8s.io/v1", "ingressclasses", "IngressClass", "", "Cg", "", ""),
    ("rbac.authorization.k8s.io/v1", "roles", "Role", "", "N", "", ""),
    ("rbac.authorization.k8s.io/v1", "rolebindings", "RoleBinding", "", "N", "", ""),
    ("rbac.authorization.k8s.io/v1", "clusterroles", "ClusterRole", "", "C", "", ""),
    ("rbac.authorization.k8s.io/v1", "clusterrolebindings", "ClusterRoleBinding", "", "C", "", ""),
    ("coordination.k8s.io/v1", "leases", "Lease", "", "N", "", ""),
    ("events.k8s.io/v1", "events", "Event", "ev", "N", "", "reason,reportingController,type,regarding.kind,regarding.name,regarding.namespace"),
    ("storage.k8s.io/v1", "storageclasses", "StorageClass", "sc", "C", "", ""),
    ("apiextensions.k8s.io/v1", "customresourcedefinitions", "CustomResourceDefinition", "crd,crds", "Cge", "status", ""),
    ("discovery.k8s.io/v1", "endpointslices", "EndpointSlice", "", "Ng", "", ""),
    ("policy/v1", "poddisruptionbudgets", "PodDisruptionBudget", "pdb", "Ng", "status", ""),
    ("scheduling.k8s.io/v1", "priorityclasses", "PriorityClass", "pc", "Cg", "", ""),
    ("authorization.k8s.io/v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", "", "Cr", "", ""),
    ("authorization.k8s.io/v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", "", "Cr", "", ""),
    ("authorization.k8s.io/v1", "subjectaccessreviews", "SubjectAccessReview", "", "Cr", "", ""),
    ("authentication.k8s.io/v1", "selfsubjectreviews", "SelfSubjectReview", "", "Cr", "", ""),
    ("metrics.k8s.io/v1beta1", "nodes", "NodeMetrics", "", "Cm", "", ""),
    ("metrics.k8s.io/v1beta1", "pods", "PodMetrics", "", "Nm", "", ""),
    ("kubevirt.io/v1", "virtualmachines", "VirtualMachine", "vm,vms", "Naxg", "status", ""),
    ("kubevirt.io/v1", "virtualmachineinstances", "VirtualMachineInstance", "vmi,vmis", "Naxg", "", ""),
    ("kubevirt.io/v1", "virtualmachineinstancemigrations", "VirtualMachineInstanceMigration", "vmim,vmims", "Naxg", "status", ""),
];

/// All built-in kinds.
pub(crate) fn kinds() -> Vec<Kind> {
    TABLE.iter().map(kind).collect()
}

fn kind((api_version, plural, kind, short, flags, subresources, fields): &Line) -> Kind {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let words = |text: &str| -> Vec<String> { text.split(',').map(str::trim).filter(|w| !w.is_empty()).map(str::to_owned).collect() };
    let resource = if group.is_empty() { (*plural).to_owned() } else { format!("{plural}.{group}") };
    Kind {
        group: group.to_owned(),
        version: version.to_owned(),
        plural: (*plural).to_owned(),
        singular: if flags.contains('m') { String::new() } else { kind.to_lowercase() },
        kind: (*kind).to_owned(),
        short: words(short),
        categories: [('a', "all"), ('e', "api-extensions")].iter().filter(|(f, _)| flags.contains(*f)).map(|(_, c)| (*c).to_owned()).collect(),
        namespaced: flags.contains('N'),
        subresources: words(subresources),
        fields: words(fields).into(),
        columns: columns::of(&resource),
        custom: flags.contains('x'),
        review: flags.contains('r'),
        computed: flags.contains('m'),
        generation: flags.contains('g'),
        stored_as: (group == "events.k8s.io").then_some("events"),
        versioned: false,
        rules: None,
        shape: types::of_kind(api_version, kind).unwrap_or_else(view::unknown_kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_makes_a_kind_and_names_are_unique() {
        let kinds = kinds();
        let mut names: Vec<String> = kinds.iter().map(Kind::resource).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), TABLE.len());
        assert!(kinds.iter().all(|k| k.columns.iter().any(|c| c.name == "Name")));
    }
}
