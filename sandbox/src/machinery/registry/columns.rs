//! The columns that `kubectl get` shows, as data: `Title=cell`. After the title may stand `:1` (only with `-o wide`), or the
//! type when it isn't a string: `:i` integer, `:b` boolean, `:d` date. A line that doesn't say where `Name` stands begins with it.
//!
//! A cell is a dotted path, or `$name` for one of the cells that the HTTP side computes. Age cells are `$age`.

use super::jsonpath::JsonPath;

/// One column of a Table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) wide: bool,
    /// The type as Tables say it: `string`, `integer`.
    pub(crate) ty: String,
    /// As a definition says it.
    pub(crate) format: String,
    pub(crate) cell: Cell,
}

/// Where a column's content comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Builtin(String),
    Path(JsonPath),
}

#[rustfmt::skip]
const TABLE: &[(&str, &str)] = &[
    ("namespaces", "Status=status.phase|Age=$age"),
    ("pods", "Ready=$pod-ready|Status=$pod-status|Restarts=$pod-restarts|Age=$age|IP:1=status.podIP|Node:1=spec.nodeName|Nominated Node:1=status.nominatedNodeName|Readiness Gates:1=$none"),
    ("services", "Type=spec.type|Cluster-IP=$or-none:spec.clusterIP|External-IP=$external-ip|Port(s)=$service-ports|Age=$age|Selector:1=$selector:spec.selector"),
    ("endpoints", "Endpoints=$endpoints|Age=$age"),
    ("configmaps", "Data=$count:data|Age=$age"),
    ("secrets", "Type=type|Data=$count:data|Age=$age"),
    ("serviceaccounts", "Age=$age"),
    ("events", "Last Seen=$last-seen|Type=type|Reason=reason|Object=$involved|Subobject:1=involvedObject.fieldPath|Source:1=source.component|Message=message|First Seen:1=$first-seen|Count:1=count|Name:1=metadata.name"),
    ("events.events.k8s.io", "Last Seen=$last-seen|Type=type|Reason=reason|Object=$involved|Message=note"),
    ("nodes", "Status=$node-status|Roles=$node-roles|Age=$age|Version=status.nodeInfo.kubeletVersion|Internal-IP:1=status.addresses.0.address|External-IP:1=$none|OS-Image:1=status.nodeInfo.osImage|Kernel-Version:1=status.nodeInfo.kernelVersion|Container-Runtime:1=status.nodeInfo.containerRuntimeVersion"),
    ("persistentvolumeclaims", "Status=status.phase|Volume=spec.volumeName|Capacity=status.capacity.storage|Access Modes=$access-modes|StorageClass=spec.storageClassName|VolumeAttributesClass=spec.volumeAttributesClassName|Age=$age|VolumeMode:1=spec.volumeMode"),
    ("persistentvolumes", "Capacity=spec.capacity.storage|Access Modes=$access-modes|Reclaim Policy=spec.persistentVolumeReclaimPolicy|Status=status.phase|Claim=$claim|StorageClass=spec.storageClassName|VolumeAttributesClass=spec.volumeAttributesClassName|Reason=status.reason|Age=$age|VolumeMode:1=spec.volumeMode"),
    ("resourcequotas", "Request=$quota:requests|Limit=$quota:limits|Age=$age"),
    ("replicationcontrollers", "Desired:i=$number:spec.replicas|Current:i=$number:status.replicas|Ready:i=$number:status.readyReplicas|Age=$age|Containers:1=$containers|Images:1=$images|Selector:1=$selector:spec.selector"),
    ("limitranges", "Created At:d=metadata.creationTimestamp"),
    ("deployments.apps", "Ready=$ready:status.readyReplicas:spec.replicas|Up-to-date=$number:status.updatedReplicas|Available=$number:status.availableReplicas|Age=$age|Containers:1=$containers|Images:1=$images|Selector:1=$selector:spec.selector.matchLabels"),
    ("replicasets.apps", "Desired:i=$number:spec.replicas|Current:i=$number:status.replicas|Ready:i=$number:status.readyReplicas|Age=$age|Containers:1=$containers|Images:1=$images|Selector:1=$selector:spec.selector.matchLabels"),
    ("statefulsets.apps", "Ready=$ready:status.readyReplicas:spec.replicas|Age=$age|Containers:1=$containers|Images:1=$images"),
    ("daemonsets.apps", "Desired:i=$number:status.desiredNumberScheduled|Current:i=$number:status.currentNumberScheduled|Ready:i=$number:status.numberReady|Up-to-date:i=$number:status.updatedNumberScheduled|Available:i=$number:status.numberAvailable|Node Selector=$selector:spec.template.spec.nodeSelector|Age=$age|Containers:1=$containers|Images:1=$images|Selector:1=$selector:spec.selector.matchLabels"),
    ("horizontalpodautoscalers.autoscaling", "Reference=$reference:spec.scaleTargetRef|Targets=$targets|MinPods=spec.minReplicas|MaxPods=spec.maxReplicas|Replicas=$number:status.currentReplicas|Age=$age"),
    ("jobs.batch", "Status=$job-status|Completions=$ready:status.succeeded:spec.completions|Duration=$job-duration|Age=$age|Containers:1=$containers|Images:1=$images|Selector:1=$selector:spec.selector.matchLabels"),
    ("cronjobs.batch", "Schedule=spec.schedule|Timezone=spec.timeZone|Suspend:b=$flag:spec.suspend|Active:i=$count:status.active|Last Schedule=$since:status.lastScheduleTime|Age=$age|Containers:1=$containers|Images:1=$images|Selector:1=$none"),
    ("networkpolicies.networking.k8s.io", "Pod-Selector=$selector:spec.podSelector.matchLabels|Age=$age"),
    ("ingresses.networking.k8s.io", "Class=spec.ingressClassName|Hosts=spec.rules.0.host|Address=status.loadBalancer.ingress.0.ip|Ports=$none|Age=$age"),
    ("ingressclasses.networking.k8s.io", "Controller=spec.controller|Parameters=$none|Age=$age"),
    ("priorityclasses.scheduling.k8s.io", "Value:i=value|Global-Default:b=globalDefault|Age=$age|PreemptionPolicy=preemptionPolicy"),
    ("roles.rbac.authorization.k8s.io", "Created At:d=metadata.creationTimestamp"),
    ("clusterroles.rbac.authorization.k8s.io", "Created At:d=metadata.creationTimestamp"),
    ("rolebindings.rbac.authorization.k8s.io", "Role=$reference:roleRef|Age=$age|Users:1=$subjects:User|Groups:1=$subjects:Group|ServiceAccounts:1=$subjects:ServiceAccount"),
    ("clusterrolebindings.rbac.authorization.k8s.io", "Role=$reference:roleRef|Age=$age|Users:1=$subjects:User|Groups:1=$subjects:Group|ServiceAccounts:1=$subjects:ServiceAccount"),
    ("leases.coordination.k8s.io", "Holder=spec.holderIdentity|Age=$age"),
    ("storageclasses.storage.k8s.io", "Provisioner=provisioner|ReclaimPolicy=reclaimPolicy|VolumeBindingMode=volumeBindingMode|AllowVolumeExpansion=allowVolumeExpansion|Age=$age"),
    ("customresourcedefinitions.apiextensions.k8s.io", "Created At:d=metadata.creationTimestamp"),
    ("endpointslices.discovery.k8s.io", "AddressType=addressType|Ports=ports.0.port|Endpoints=endpoints.0.addresses.0|Age=$age"),
    ("poddisruptionbudgets.policy", "Min Available=spec.minAvailable|Max Unavailable=spec.maxUnavailable|Allowed Disruptions:i=$number:status.disruptionsAllowed|Age=$age"),
    ("nodes.metrics.k8s.io", "CPU=usage.cpu|Memory=usage.memory|Window=window"),
    ("pods.metrics.k8s.io", "CPU=$usage:cpu|Memory=$usage:memory|Window=window"),
    ("virtualmachines.kubevirt.io", "Age:d=$age|Status=status.printableStatus|Ready=status.conditions.Ready.status"),
    ("virtualmachineinstances.kubevirt.io", "Age:d=$age|Phase=status.phase|IP=status.interfaces.0.ipAddress|NodeName=status.nodeName|Ready=status.conditions.Ready.status|Live-Migratable:1=status.conditions.LiveMigratable.status|Paused:1=status.conditions.Paused.status"),
    ("virtualmachineinstancemigrations.kubevirt.io", "Phase=status.phase|VMI=spec.vmiName"),
];

/// The columns of a resource (`deployments.apps`): Name first, and at least an age.
pub(crate) fn of(resource: &str) -> Vec<Column> {
    let line = TABLE.iter().find(|(name, _)| *name == resource).map_or("Age=$age", |(_, line)| line);
    let named = line.contains("=metadata.name");
    (!named).then(name).into_iter().chain(line.split('|').map(column)).collect()
}

pub(crate) fn name() -> Column {
    column("Name=metadata.name")
}

fn column(text: &str) -> Column {
    let (title, cell) = text.split_once('=').unwrap_or((text, "$none"));
    let (name, mark) = title.rsplit_once(':').unwrap_or((title, ""));
    let ty = match mark {
        "i" => "integer",
        "b" => "boolean",
        "d" => "date",
        _ => "string",
    };
    Column { name: name.to_owned(), wide: mark == "1", ty: ty.to_owned(), format: String::new(), cell: Cell::Builtin(cell.to_owned()) }
}
