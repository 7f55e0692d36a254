//! The numbers of protobuf fields of the kinds that kubectl sends in this form: facts of the wire, written down as
//! needed. A message that is not here can't be sent as protobuf; a field that is not here is skipped.

/// How a field's bytes are read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Type {
    /// Text; empty means absent.
    Text,
    /// An integer or a truth value where zero means absent.
    Plain,
    /// A truth value where false means absent.
    Flag,
    /// An integer that may be zero.
    Number,
    /// A truth value that may be false.
    Truth,
    /// Bytes, as base64.
    Bytes,
    /// Seconds since 1970, as a time.
    Time,
    /// A quantity: text in a message.
    Quantity,
    /// A number or a text.
    Either,
    /// Another message.
    Message(&'static str),
    /// Many texts.
    Texts,
    /// Many messages.
    Messages(&'static str),
    /// Text to text, bytes or quantities.
    Map(&'static Type),
}

use Type::{Bytes, Either, Flag, Map, Message, Messages, Number, Plain, Quantity, Text, Texts, Time, Truth};

const TEXT_MAP: Type = Map(&Text);
const BYTES_MAP: Type = Map(&Bytes);
const QUANTITIES: Type = Map(&Quantity);

/// Message, number, name, type.
pub(crate) type Field = (&'static str, u64, &'static str, Type);

#[rustfmt::skip]
pub(crate) const FIELDS: &[Field] = &[
    ("ObjectMeta", 1, "name", Text), ("ObjectMeta", 2, "generateName", Text), ("ObjectMeta", 3, "namespace", Text), ("ObjectMeta", 5, "uid", Text),
    ("ObjectMeta", 6, "resourceVersion", Text), ("ObjectMeta", 7, "generation", Plain), ("ObjectMeta", 8, "creationTimestamp", Time),
    ("ObjectMeta", 9, "deletionTimestamp", Time), ("ObjectMeta", 10, "deletionGracePeriodSeconds", Number), ("ObjectMeta", 11, "labels", TEXT_MAP),
    ("ObjectMeta", 12, "annotations", TEXT_MAP), ("ObjectMeta", 13, "ownerReferences", Messages("OwnerReference")), ("ObjectMeta", 14, "finalizers", Texts),
    ("OwnerReference", 1, "kind", Text), ("OwnerReference", 3, "name", Text), ("OwnerReference", 4, "uid", Text), ("OwnerReference", 5, "apiVersion", Text),
    ("OwnerReference", 6, "controller", Truth), ("OwnerReference", 7, "blockOwnerDeletion", Truth),
    ("LabelSelector", 1, "matchLabels", TEXT_MAP), ("LabelSelector", 2, "matchExpressions", Messages("Requirement")),
    ("Requirement", 1, "key", Text), ("Requirement", 2, "operator", Text), ("Requirement", 3, "values", Texts),
    ("DeleteOptions", 1, "gracePeriodSeconds", Number), ("DeleteOptions", 2, "preconditions", Message("Preconditions")),
    ("DeleteOptions", 3, "orphanDependents", Truth), ("DeleteOptions", 4, "propagationPolicy", Text), ("DeleteOptions", 5, "dryRun", Texts),
    ("Preconditions", 1, "uid", Text), ("Preconditions", 2, "resourceVersion", Text),
    // core
    ("Namespace", 1, "metadata", Message("ObjectMeta")), ("Namespace", 2, "spec", Message("NamespaceSpec")), ("NamespaceSpec", 1, "finalizers", Texts),
    ("ConfigMap", 1, "metadata", Message("ObjectMeta")), ("ConfigMap", 2, "data", TEXT_MAP), ("ConfigMap", 3, "binaryData", BYTES_MAP), ("ConfigMap", 4, "immutable", Truth),
    ("Secret", 1, "metadata", Message("ObjectMeta")), ("Secret", 2, "data", BYTES_MAP), ("Secret", 3, "type", Text), ("Secret", 4, "stringData", TEXT_MAP),
    ("Secret", 5, "immutable", Truth),
    ("ServiceAccount", 1, "metadata", Message("ObjectMeta")), ("ServiceAccount", 2, "secrets", Messages("ObjectReference")),
    ("ServiceAccount", 3, "imagePullSecrets", Messages("LocalReference")), ("ServiceAccount", 4, "automountServiceAccountToken", Truth),
    ("LocalReference", 1, "name", Text),
    ("ObjectReference", 1, "kind", Text), ("ObjectReference", 2, "namespace", Text), ("ObjectReference", 3, "name", Text), ("ObjectReference", 4, "uid", Text),
    ("ObjectReference", 5, "apiVersion", Text), ("ObjectReference", 6, "resourceVersion", Text), ("ObjectReference", 7, "fieldPath", Text),
    ("ResourceQuota", 1, "metadata", Message("ObjectMeta")), ("ResourceQuota", 2, "spec", Message("QuotaSpec")),
    ("QuotaSpec", 1, "hard", QUANTITIES), ("QuotaSpec", 2, "scopes", Texts),
    ("Service", 1, "metadata", Message("ObjectMeta")), ("Service", 2, "spec", Message("ServiceSpec")),
    ("ServiceSpec", 1, "ports", Messages("ServicePort")), ("ServiceSpec", 2, "selector", TEXT_MAP), ("ServiceSpec", 3, "clusterIP", Text), ("ServiceSpec", 4, "type", Text),
    ("ServiceSpec", 5, "externalIPs", Texts), ("ServiceSpec", 7, "sessionAffinity", Text), ("ServiceSpec", 8, "loadBalancerIP", Text), ("ServiceSpec", 10, "externalName", Text),
    ("ServicePort", 1, "name", Text), ("ServicePort", 2, "protocol", Text), ("ServicePort", 3, "port", Plain), ("ServicePort", 4, "targetPort", Either),
    ("ServicePort", 5, "nodePort", Plain), ("ServicePort", 6, "appProtocol", Text),
    ("Pod", 1, "metadata", Message("ObjectMeta")), ("Pod", 2, "spec", Message("PodSpec")),
    ("PodTemplate", 1, "metadata", Message("ObjectMeta")), ("PodTemplate", 2, "spec", Message("PodSpec")),
    ("PodSpec", 1, "volumes", Messages("Volume")), ("PodSpec", 2, "containers", Messages("Container")), ("PodSpec", 3, "restartPolicy", Text),
    ("PodSpec", 4, "terminationGracePeriodSeconds", Number), ("PodSpec", 5, "activeDeadlineSeconds", Number), ("PodSpec", 6, "dnsPolicy", Text),
    ("PodSpec", 7, "nodeSelector", TEXT_MAP), ("PodSpec", 8, "serviceAccountName", Text), ("PodSpec", 9, "serviceAccount", Text), ("PodSpec", 10, "nodeName", Text),
    ("PodSpec", 11, "hostNetwork", Flag), ("PodSpec", 12, "hostPID", Flag), ("PodSpec", 13, "hostIPC", Flag), ("PodSpec", 14, "securityContext", Message("PodSecurity")),
    ("PodSpec", 15, "imagePullSecrets", Messages("LocalReference")), ("PodSpec", 16, "hostname", Text), ("PodSpec", 17, "subdomain", Text), ("PodSpec", 19, "schedulerName", Text),
    ("PodSpec", 20, "initContainers", Messages("Container")), ("PodSpec", 21, "automountServiceAccountToken", Truth), ("PodSpec", 22, "tolerations", Messages("Toleration")),
    ("PodSecurity", 2, "runAsUser", Number), ("PodSecurity", 3, "runAsNonRoot", Truth), ("PodSecurity", 5, "fsGroup", Number),
    ("Toleration", 1, "key", Text), ("Toleration", 2, "operator", Text), ("Toleration", 3, "value", Text), ("Toleration", 4, "effect", Text), ("Toleration", 5, "tolerationSeconds", Number),
    ("Container", 1, "name", Text), ("Container", 2, "image", Text), ("Container", 3, "command", Texts), ("Container", 4, "args", Texts), ("Container", 5, "workingDir", Text),
    ("Container", 6, "ports", Messages("ContainerPort")), ("Container", 7, "env", Messages("EnvVar")), ("Container", 8, "resources", Message("Resources")),
    ("Container", 9, "volumeMounts", Messages("VolumeMount")), ("Container", 13, "terminationMessagePath", Text), ("Container", 14, "imagePullPolicy", Text),
    ("Container", 16, "stdin", Flag), ("Container", 17, "stdinOnce", Flag), ("Container", 18, "tty", Flag), ("Container", 20, "terminationMessagePolicy", Text),
    ("ContainerPort", 1, "name", Text), ("ContainerPort", 2, "hostPort", Plain), ("ContainerPort", 3, "containerPort", Plain), ("ContainerPort", 4, "protocol", Text),
    ("EnvVar", 1, "name", Text), ("EnvVar", 2, "value", Text), ("EnvVar", 3, "valueFrom", Message("EnvVarSource")),
    ("EnvVarSource", 3, "configMapKeyRef", Message("KeyRef")), ("EnvVarSource", 4, "secretKeyRef", Message("KeyRef")),
    ("KeyRef", 1, "@inline", Message("LocalReference")), ("KeyRef", 2, "key", Text), ("KeyRef", 3, "optional", Truth),
    ("Resources", 1, "limits", QUANTITIES), ("Resources", 2, "requests", QUANTITIES),
    ("VolumeMount", 1, "name", Text), ("VolumeMount", 2, "readOnly", Flag), ("VolumeMount", 3, "mountPath", Text), ("VolumeMount", 4, "subPath", Text),
    ("Volume", 1, "name", Text), ("Volume", 2, "@inline", Message("VolumeSource")),
    ("VolumeSource", 1, "hostPath", Message("HostPath")), ("VolumeSource", 2, "emptyDir", Message("EmptyDir")), ("VolumeSource", 6, "secret", Message("SecretVolume")),
    ("VolumeSource", 10, "persistentVolumeClaim", Message("ClaimVolume")), ("VolumeSource", 19, "configMap", Message("ConfigMapVolume")),
    ("HostPath", 1, "path", Text), ("HostPath", 2, "type", Text), ("EmptyDir", 1, "medium", Text), ("EmptyDir", 2, "sizeLimit", Quantity),
    ("SecretVolume", 1, "secretName", Text), ("ClaimVolume", 1, "claimName", Text), ("ClaimVolume", 2, "readOnly", Flag), ("ConfigMapVolume", 1, "@inline", Message("LocalReference")),
    ("Eviction", 1, "metadata", Message("ObjectMeta")), ("Eviction", 2, "deleteOptions", Message("DeleteOptions")),
    // apps, batch, policy, scheduling
    ("Deployment", 1, "metadata", Message("ObjectMeta")), ("Deployment", 2, "spec", Message("DeploymentSpec")),
    ("DeploymentSpec", 1, "replicas", Number), ("DeploymentSpec", 2, "selector", Message("LabelSelector")), ("DeploymentSpec", 3, "template", Message("PodTemplate")),
    ("DeploymentSpec", 4, "strategy", Message("Strategy")), ("DeploymentSpec", 5, "minReadySeconds", Plain), ("DeploymentSpec", 6, "revisionHistoryLimit", Number),
    ("DeploymentSpec", 7, "paused", Flag), ("DeploymentSpec", 9, "progressDeadlineSeconds", Number),
    ("Strategy", 1, "type", Text), ("Strategy", 2, "rollingUpdate", Message("Rolling")), ("Rolling", 1, "maxUnavailable", Either), ("Rolling", 2, "maxSurge", Either),
    ("Job", 1, "metadata", Message("ObjectMeta")), ("Job", 2, "spec", Message("JobSpec")),
    ("JobSpec", 1, "parallelism", Number), ("JobSpec", 2, "completions", Number), ("JobSpec", 3, "activeDeadlineSeconds", Number), ("JobSpec", 4, "selector", Message("LabelSelector")),
    ("JobSpec", 6, "template", Message("PodTemplate")), ("JobSpec", 7, "backoffLimit", Number),
    ("CronJob", 1, "metadata", Message("ObjectMeta")), ("CronJob", 2, "spec", Message("CronJobSpec")),
    ("CronJobSpec", 1, "schedule", Text), ("CronJobSpec", 3, "concurrencyPolicy", Text), ("CronJobSpec", 4, "suspend", Truth), ("CronJobSpec", 5, "jobTemplate", Message("JobTemplate")),
    ("JobTemplate", 1, "metadata", Message("ObjectMeta")), ("JobTemplate", 2, "spec", Message("JobSpec")),
    ("PodDisruptionBudget", 1, "metadata", Message("ObjectMeta")), ("PodDisruptionBudget", 2, "spec", Message("BudgetSpec")),
    ("BudgetSpec", 1, "minAvailable", Either), ("BudgetSpec", 2, "selector", Message("LabelSelector")), ("BudgetSpec", 3, "maxUnavailable", Either),
    ("PriorityClass", 1, "metadata", Message("ObjectMeta")), ("PriorityClass", 2, "value", Plain), ("PriorityClass", 3, "globalDefault", Flag), ("PriorityClass", 4, "description", Text),
    ("PriorityClass", 5, "preemptionPolicy", Text),
    // rbac
    ("Role", 1, "metadata", Message("ObjectMeta")), ("Role", 2, "rules", Messages("PolicyRule")),
    ("ClusterRole", 1, "metadata", Message("ObjectMeta")), ("ClusterRole", 2, "rules", Messages("PolicyRule")),
    ("PolicyRule", 1, "verbs", Texts), ("PolicyRule", 2, "apiGroups", Texts), ("PolicyRule", 3, "resources", Texts), ("PolicyRule", 4, "resourceNames", Texts),
    ("PolicyRule", 5, "nonResourceURLs", Texts),
    ("RoleBinding", 1, "metadata", Message("ObjectMeta")), ("RoleBinding", 2, "subjects", Messages("Subject")), ("RoleBinding", 3, "roleRef", Message("RoleRef")),
    ("ClusterRoleBinding", 1, "metadata", Message("ObjectMeta")), ("ClusterRoleBinding", 2, "subjects", Messages("Subject")), ("ClusterRoleBinding", 3, "roleRef", Message("RoleRef")),
    ("Subject", 1, "kind", Text), ("Subject", 2, "apiGroup", Text), ("Subject", 3, "name", Text), ("Subject", 4, "namespace", Text),
    ("RoleRef", 1, "apiGroup", Text), ("RoleRef", 2, "kind", Text), ("RoleRef", 3, "name", Text),
    // reviews
    ("SelfSubjectReview", 1, "metadata", Message("ObjectMeta")),
    ("SelfSubjectRulesReview", 1, "metadata", Message("ObjectMeta")), ("SelfSubjectRulesReview", 2, "spec", Message("RulesSpec")), ("RulesSpec", 1, "namespace", Text),
    ("SelfSubjectAccessReview", 1, "metadata", Message("ObjectMeta")), ("SelfSubjectAccessReview", 2, "spec", Message("AccessSpec")),
    ("AccessSpec", 1, "resourceAttributes", Message("ResourceAttributes")), ("AccessSpec", 2, "nonResourceAttributes", Message("PathAttributes")),
    ("ResourceAttributes", 1, "namespace", Text), ("ResourceAttributes", 2, "verb", Text), ("ResourceAttributes", 3, "group", Text), ("ResourceAttributes", 4, "version", Text),
    ("ResourceAttributes", 5, "resource", Text), ("ResourceAttributes", 6, "subresource", Text), ("ResourceAttributes", 7, "name", Text),
    ("PathAttributes", 1, "path", Text), ("PathAttributes", 2, "verb", Text),
];
