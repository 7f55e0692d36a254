//! Facts about virtual machines and their instances, and the values that KubeVirt makes up for them.

use serde_json::{Value, json};

use super::quantity;
use crate::machinery::notation::clock;
use crate::machinery::notation::value::{at, list, number, text};
use crate::server::store::Key;
use crate::simulator::scene::{FAIL, Scene};

const BILLION: i128 = 1_000_000_000;
/// What a launcher asks for besides the guest's memory (276 MiB), as it was seen to, in billionths of bytes.
const OVERHEAD: i128 = (276 << 20) * BILLION;
/// A guest's core is a tenth of a real one; in billionths.
const CORE: i128 = BILLION / 10;
/// A launcher outlives its guest by so many seconds at most.
const LAUNCHER_GRACE: i64 = 30;

pub(in crate::simulator) fn fact(scene: &Scene<'_>, name: &str) -> Option<Value> {
    match name {
        "strategy" => Some(strategy(&scene.object)),
        "missingClaim" => missing_claim(scene),
        "revision" => {
            let owner = scene.related("owner")?;
            Some(json!(format!("revision-start-vm-{}-{}", owner.uid, scene.annotation("kubevirt.io/vm-generation")?.as_str()?)))
        }
        _ => None,
    }
}

/// When it is to run; `running` is the old word for it.
fn strategy(machine: &Value) -> Value {
    match at(machine, "spec.running") {
        Some(running) => json!(if running == true { "Always" } else { "Halted" }),
        None => machine["spec"]["runStrategy"].clone(),
    }
}

/// The first claim that an instance's disks need and that isn't there; once it is, the instance is looked at again.
fn missing_claim(scene: &Scene<'_>) -> Option<Value> {
    let claims = list(&scene.object, "spec.volumes").iter().filter_map(claim);
    let missing = |name: &&str| scene.cluster.lister().get("persistentvolumeclaims", &Key::new(scene.namespace(), name)).is_none();
    let name = claims.into_iter().find(missing)?;
    scene.wait_for("persistentvolumeclaims", scene.namespace(), name);
    Some(json!(name))
}

/// The claim behind a volume; a DataVolume's has its name.
fn claim(volume: &Value) -> Option<&str> {
    ["persistentVolumeClaim.claimName", "dataVolume.name"].iter().find_map(|path| at(volume, path)?.as_str())
}

/// Makes the value that a template names.
pub(in crate::simulator) fn make(scene: &Scene<'_>, name: &str, argument: &str) -> Option<Value> {
    Some(match name {
        "mac" => json!(mac(scene.uid())),
        "phases" => phases(scene, argument),
        "launcher-labels" => launcher_labels(scene),
        "launcher-annotations" => launcher_annotations(scene),
        "launcher-grace" => json!(number(&scene.object, "spec.terminationGracePeriodSeconds").unwrap_or(LAUNCHER_GRACE) + LAUNCHER_GRACE),
        "launcher-resources" => launcher_resources(scene),
        "launcher-volumes" => launcher_volumes(scene),
        "volumes" => volumes(scene),
        "vmi-conditions" => conditions(scene),
        "snapshots" => snapshots(scene),
        "one-more" => json!(count(scene, argument) + 1),
        "retry-after" => json!(clock::after(backoff(count(scene, argument) + 1))),
        _ => return None,
    })
}

fn mac(uid: &str) -> String {
    let bytes: Vec<&str> = (0..3).filter_map(|i| uid.get(i * 2..i * 2 + 2)).collect();
    format!("52:54:00:{}", bytes.join(":"))
}

/// The phases that a VMI went through, and one more.
fn phases(scene: &Scene<'_>, phase: &str) -> Value {
    let mut phases = list(&scene.object, "status.phaseTransitionTimestamps").to_vec();
    if !phases.iter().any(|p| p["phase"] == phase) {
        phases.push(json!({"phase": phase, "phaseTransitionTimestamp": clock::now()}));
    }
    Value::Array(phases)
}

fn count(scene: &Scene<'_>, path: &str) -> i64 {
    number(&scene.object, path).unwrap_or(0)
}

/// How many seconds a machine waits that failed to start: they grow with the square of the failures, up to five minutes.
/// The real ones are up to half as long again, by chance.
fn backoff(failures: i64) -> i64 {
    failures.saturating_mul(failures).saturating_mul(10).clamp(10, 300)
}

/// What stands on a machine whatever its instance says.
const OF_THE_MACHINE: &[&str] = &["RestartRequired", "Failure"];

/// The conditions of a VM's instance, which take the place of the VM's.
fn conditions(scene: &Scene<'_>) -> Value {
    let instance = scene.related("virtualmachineinstances").map(|instance| instance.value()).unwrap_or_default();
    let mut conditions = list(&instance, "status.conditions").to_vec();
    if !conditions.iter().any(|c| c["type"] == "Ready") {
        let now = clock::now();
        conditions.push(json!({"type": "Ready", "status": "False", "reason": "VMIConditionMissing", "message": "VMI is missing the Ready condition",
            "lastProbeTime": now, "lastTransitionTime": now}));
    }
    for old in list(&scene.object, "status.conditions").iter().map(|c| text(c, "type")) {
        if !OF_THE_MACHINE.contains(&old) && !conditions.iter().any(|c| c["type"] == old) {
            conditions.push(json!({"type": old, "$patch": "delete"}));
        }
    }
    for condition in &mut conditions {
        for field in ["reason", "message"] {
            if condition["$patch"].is_null() && condition[field].is_null() {
                condition[field] = Value::Null;
            }
        }
    }
    Value::Array(conditions)
}

/// Its own, and those of the instance.
fn launcher_labels(scene: &Scene<'_>) -> Value {
    let (name, uid) = (&scene.object["metadata"]["name"], scene.uid());
    let own = json!({"kubevirt.io": "virt-launcher", "kubevirt.io/created-by": uid, "vm.kubevirt.io/name": name, "vmi.kubevirt.io/id": name});
    over(at(&scene.object, "metadata.labels"), own)
}

/// Likewise. What fails at the launcher itself stays; the rest is the guest's.
fn launcher_annotations(scene: &Scene<'_>) -> Value {
    let fails = if matches!(scene.fails(), "image-pull" | "unschedulable") { json!(scene.fails()) } else { Value::Null };
    let own = json!({"kubectl.kubernetes.io/default-container": "compute", "kubevirt.io/domain": scene.object["metadata"]["name"],
        "kubevirt.io/migrationTransportUnix": "true", "kubevirt.io/latest-observed-api-version": null, "kubevirt.io/storage-observed-api-version": null, FAIL: fails});
    over(at(&scene.object, "metadata.annotations"), own)
}

fn over(below: Option<&Value>, own: Value) -> Value {
    let mut all = below.and_then(Value::as_object).cloned().unwrap_or_default();
    all.extend(own.as_object().cloned().unwrap_or_default());
    Value::Object(all)
}

/// Conditions as KubeVirt writes them: new ones last, both times there even if there is none, and no empty words.
pub(in crate::simulator) fn tidy(before: &Value, after: &mut Value) {
    let old = list(before, "status.conditions");
    let place = |condition: &Value| old.iter().position(|o| o["type"] == condition["type"]).unwrap_or(old.len());
    let Some(conditions) = after.pointer_mut("/status/conditions").and_then(Value::as_array_mut) else { return };
    conditions.sort_by_key(place);
    for condition in conditions.iter_mut().filter_map(Value::as_object_mut) {
        for time in ["lastProbeTime", "lastTransitionTime"] {
            condition.entry(time).or_insert(Value::Null);
        }
        condition.retain(|key, value| !value.is_null() || key.starts_with("last"));
    }
}

fn launcher_resources(scene: &Scene<'_>) -> Value {
    let domain = &scene.object["spec"]["domain"];
    let mut resources = at(domain, "resources").cloned().unwrap_or_else(|| json!({}));
    let of = |field: &str| number(domain, &format!("cpu.{field}")).unwrap_or(1);
    let requests = crate::machinery::notation::value::object(&mut resources, "requests");
    requests.entry("cpu").or_insert(json!(quantity::show(i128::from(of("cores") * of("sockets") * of("threads")) * CORE, false)));
    requests.entry("memory").or_insert(domain["memory"]["guest"].clone());
    requests.insert("ephemeral-storage".to_owned(), json!("50M"));
    requests.insert("devices.kubevirt.io/tun".to_owned(), json!("1"));
    crate::machinery::notation::value::object(&mut resources, "limits").insert("devices.kubevirt.io/tun".to_owned(), json!("1"));
    for part in ["requests", "limits"] {
        if let Some(memory) = resources[part].get_mut("memory")
            && let Some(asked) = quantity::parse(memory)
        {
            *memory = json!(quantity::show(asked + OVERHEAD, true));
        }
    }
    resources
}

/// The claims among an instance's disks: the launcher is what uses them.
fn launcher_volumes(scene: &Scene<'_>) -> Value {
    let claims = list(&scene.object, "spec.volumes").iter().filter_map(|volume| Some((&volume["name"], claim(volume)?)));
    claims.map(|(name, claim)| json!({"name": name, "persistentVolumeClaim": {"claimName": claim}})).collect()
}

/// The disks as the guest has them.
fn volumes(scene: &Scene<'_>) -> Value {
    let disks = list(&scene.object, "spec.volumes").iter().zip('a'..='z');
    disks.map(|(volume, letter)| json!({"name": volume["name"], "target": format!("vd{letter}")})).collect()
}

/// Whether a machine's volumes can be captured: none can.
fn snapshots(scene: &Scene<'_>) -> Value {
    let found = |name: &str| scene.cluster.lister().get("persistentvolumeclaims", &Key::new(scene.namespace(), name));
    let one = |volume: &Value| {
        let name = text(volume, "name");
        let why = match claim(volume) {
            None => format!("Snapshot is not supported for this volumeSource type [{name}]"),
            Some(claimed) => match found(claimed) {
                None => "PVC not found".to_owned(),
                Some(claim) => {
                    let claim = claim.value();
                    let class = text(&claim, "spec.storageClassName");
                    format!("No VolumeSnapshotClass: Volume snapshots are not configured for this StorageClass [{class}] [{name}]")
                }
            },
        };
        json!({"name": name, "enabled": false, "reason": why})
    };
    Value::Array(list(&scene.object, "spec.template.spec.volumes").iter().map(one).collect())
}
