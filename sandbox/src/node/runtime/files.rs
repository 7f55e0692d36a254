//! The files of a container: a small root, kubelet's files in `/etc`, and its mounted volumes.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{env, image};
use crate::machinery::notation::value::{at, list, text};
use crate::server::cluster::Cluster;
use shell::places::{Mount, Places, absolute};
use shell::tree::Tree;

/// Where a service account's files are, whatever else is mounted.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const PROGRAMS: &str = "# a command of the sandbox's small shell\n";

/// When the Pod began, in seconds since 1970.
pub(super) fn began(pod: &Value) -> i64 {
    let times = [text(pod, "status.startTime"), text(pod, "metadata.creationTimestamp")];
    times.iter().find_map(|t| t.parse::<Timestamp>().ok()).unwrap_or_default().as_second()
}

/// Makes the root, unless it is there.
pub(super) fn furnish(places: &Places, pod: &Value, spec: &Value, hostname: &str, modified: i64) {
    if places.is_dir("/etc") {
        return;
    }
    places.make_root(modified);
    // A tree this small has room; one that is full of a client's files stays as it is.
    for dir in ["/bin", "/dev", "/etc", "/home", "/proc", "/root", "/tmp", "/usr/bin", "/usr/local/bin", "/var/log", "/var/tmp"] {
        let _ = places.mkdirs(dir, modified);
    }
    let small = image::is_small(text(spec, "image"));
    for program in shell::PROGRAMS.iter().filter(|p| !(small && **p == "bash")) {
        for dir in ["/bin", "/usr/bin"] {
            let _ = places.write(&format!("{dir}/{program}"), PROGRAMS.into(), Some(0o755), modified);
        }
    }
    let namespace = text(pod, "metadata.namespace");
    let own = format!("{}\t{hostname}\n", text(pod, "status.podIP"));
    let hosts = format!("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n{own}");
    let aliases: String = list(pod, "spec.hostAliases")
        .iter()
        .map(|a| format!("{}\t{}\n", text(a, "ip"), list(a, "hostnames").iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\t")))
        .collect();
    let resolv = format!("search {namespace}.svc.cluster.local svc.cluster.local cluster.local\nnameserver 127.97.0.10\noptions ndots:5\n");
    let files = [
        ("/etc/hostname", format!("{hostname}\n")),
        ("/etc/hosts", hosts + &aliases),
        ("/etc/resolv.conf", resolv),
        ("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n".to_owned()),
        ("/etc/group", "root:x:0:\nnogroup:x:65534:\n".to_owned()),
        ("/etc/os-release", "NAME=\"KubeKCloud sandbox\"\nID=sandbox\nPRETTY_NAME=\"A simulated container of the KubeKCloud sandbox\"\n".to_owned()),
        ("/dev/null", String::new()),
    ];
    for (path, content) in files {
        let _ = places.write(path, content.into_bytes(), None, modified);
    }
}

/// Puts volumes into the Pod's tree: those of ConfigMaps and the like as they are now, others empty unless they are there.
pub(super) fn mount(cluster: &Cluster, pod: &Value, spec: &Value, tree: &Arc<Mutex<Tree>>) -> Vec<Mount> {
    let modified = began(pod);
    let places = Places::new(tree.clone(), String::new(), vec![]);
    let mut mounts = Vec::new();
    for mount in list(spec, "volumeMounts") {
        let name = text(mount, "name");
        let Some(volume) = list(pod, "spec.volumes").iter().find(|v| text(v, "name") == name) else { continue };
        let key = format!("/volume/{name}");
        let content = content(cluster, pod, volume);
        let projected = content.is_some();
        fill(&places, &key, content, modified);
        let below = absolute("", text(mount, "subPath"));
        if !projected && !below.is_empty() && places.stat(&format!("{key}{below}")).is_err() {
            let _ = places.mkdirs(&format!("{key}{below}"), modified);
        }
        let path = absolute("", text(mount, "mountPath"));
        mounts.push(Mount { path, key: key + &below, read_only: projected || mount["readOnly"] == true });
    }
    let automatic = at(pod, "spec.automountServiceAccountToken") != Some(&json!(false));
    if automatic && !mounts.iter().any(|m| m.path == ACCOUNT) {
        fill(&places, "/volume/.account", Some(account(cluster, pod)), modified);
        mounts.push(Mount { path: ACCOUNT.to_owned(), key: "/volume/.account".to_owned(), read_only: true });
    }
    mounts
}

fn fill(places: &Places, key: &str, content: Option<Vec<(String, Vec<u8>)>>, modified: i64) {
    let _ = places.mkdirs(key, modified);
    let Some(content) = content else { return };
    places.tree().clear(key);
    for (path, bytes) in content {
        let path = format!("{key}{}", absolute("", &path));
        let up = path.rsplit_once('/').map_or("", |(up, _)| up);
        let _ = places.mkdirs(up, modified).and_then(|()| places.write(&path, bytes, None, modified));
    }
}

/// Something to be seen where a volume is mounted.
pub(super) fn mount_points(places: &Places, mounts: &[Mount], modified: i64) {
    for mount in mounts {
        let file = places.tree().stat(&mount.key).is_ok_and(|node| !node.is_dir());
        let dir = if file { mount.path.rsplit_once('/').map_or("", |(up, _)| up) } else { mount.path.as_str() };
        let _ = places.mkdirs(dir, modified);
        if file && places.stat(&mount.path).is_err() {
            let _ = places.write(&mount.path, vec![], None, modified);
        }
    }
}

/// What a volume holds; `None` when it is the container's to fill.
fn content(cluster: &Cluster, pod: &Value, volume: &Value) -> Option<Vec<(String, Vec<u8>)>> {
    if volume["projected"].is_object() {
        return Some(list(volume, "projected.sources").iter().flat_map(|source| source_content(cluster, pod, source)).collect());
    }
    let projected = ["configMap", "secret", "downwardAPI"].iter().any(|kind| volume[*kind].is_object());
    projected.then(|| source_content(cluster, pod, volume))
}

fn source_content(cluster: &Cluster, pod: &Value, source: &Value) -> Vec<(String, Vec<u8>)> {
    let namespace = text(pod, "metadata.namespace");
    for (kind, table) in [("configMap", "configmaps"), ("secret", "secrets")] {
        if let Some(source) = at(source, kind) {
            let name = [text(source, "name"), text(source, "secretName")].into_iter().find(|n| !n.is_empty()).unwrap_or_default();
            let data = env::data(cluster, table, namespace, name);
            let items = list(source, "items");
            let item = |item: &Value| Some((text(item, "path").to_owned(), data.iter().find(|(key, _)| key == text(item, "key"))?.1.clone()));
            return if items.is_empty() { data } else { items.iter().filter_map(item).collect() };
        }
    }
    if let Some(token) = at(source, "serviceAccountToken") {
        return vec![(text(token, "path").to_owned(), token_of(pod))];
    }
    let items = list(source, "downwardAPI.items");
    items.iter().map(|item| (text(item, "path").to_owned(), env::field(pod, text(item, "fieldRef.fieldPath")).into_bytes())).collect()
}

/// Opens nothing: it only is where programs look for one.
fn token_of(pod: &Value) -> Vec<u8> {
    let account = text(pod, "spec.serviceAccountName");
    format!("sandbox-token-of-{}-{}", text(pod, "metadata.namespace"), if account.is_empty() { "default" } else { account }).into_bytes()
}

fn account(cluster: &Cluster, pod: &Value) -> Vec<(String, Vec<u8>)> {
    let namespace = text(pod, "metadata.namespace");
    let mut files = env::data(cluster, "configmaps", namespace, "kube-root-ca.crt");
    files.extend([("namespace".to_owned(), namespace.as_bytes().to_vec()), ("token".to_owned(), token_of(pod))]);
    files
}
