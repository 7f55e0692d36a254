//! Configuration that a Pod names and that is not there. Once it appears, the Pod is looked at again.

use serde_json::{Value, json};

use crate::machinery::notation::value::{at, list, text};
use crate::server::store::Key;
use crate::simulator::scene::Scene;

/// What the annotation pretends to be missing.
const PRETENDED: &str = "sandbox-missing";

/// The first ConfigMap, Secret or key that a variable of the containers at hand needs: `message`, and whether that is
/// `shown` already.
pub(in crate::simulator) fn missing_variable(scene: &Scene<'_>) -> Option<Value> {
    let waiting = |message: String| {
        let container = scene.containers().first();
        json!({"message": message, "shown": container.is_some_and(|c| text(c, "message") == message)})
    };
    if scene.fails() == "missing-config" {
        return Some(waiting(format!("configmap {PRETENDED:?} not found")));
    }
    let found = scene.containers().iter().find_map(|container| {
        let all = list(container, "spec.envFrom").iter().flat_map(|from| [(&from["configMapRef"], "configmaps"), (&from["secretRef"], "secrets")]);
        let each = list(container, "spec.env").iter().map(|env| &env["valueFrom"]);
        let keys = each.flat_map(|from| [(&from["configMapKeyRef"], "configmaps"), (&from["secretKeyRef"], "secrets")]);
        all.chain(keys).find_map(|(reference, table)| missing(scene, table, text(reference, "name"), reference))
    });
    found.map(waiting)
}

fn missing(scene: &Scene<'_>, table: &str, name: &str, reference: &Value) -> Option<String> {
    if name.is_empty() || reference["optional"] == true {
        return None;
    }
    let Some(found) = scene.cluster.lister().get(table, &Key::new(scene.namespace(), name)) else {
        scene.wait_for(table, scene.namespace(), name);
        return Some(format!("{} {name:?} not found", table.trim_end_matches('s')));
    };
    let key = text(reference, "key");
    let found = found.value();
    let held = key.is_empty() || ["data", "binaryData"].iter().any(|part| found[part].get(key).is_some());
    let kind = if table == "secrets" { "Secret" } else { "ConfigMap" };
    (!held).then(|| {
        scene.wait_for(table, scene.namespace(), name);
        format!("couldn't find key {key} in {kind} {}/{name}", scene.namespace())
    })
}

/// The first volume whose ConfigMap or Secret is missing: `volume`, `message`.
pub(in crate::simulator) fn missing_volume(scene: &Scene<'_>) -> Option<Value> {
    if scene.fails() == "missing-volume" {
        return Some(json!({"volume": "config", "message": format!("configmap {PRETENDED:?} not found")}));
    }
    let found = list(&scene.object, "spec.volumes").iter().find_map(|volume| {
        let one = |source: &Value| {
            let map = missing(scene, "configmaps", text(source, "configMap.name"), &source["configMap"]);
            let secret = |name: &str, at: &Value| missing(scene, "secrets", name, at);
            map.or_else(|| secret(text(source, "secret.secretName"), &source["secret"]))
                .or_else(|| secret(text(source, "secret.name"), &source["secret"]))
        };
        let many = list(volume, "projected.sources").iter().find_map(one);
        one(volume).or(many).map(|message| (text(volume, "name").to_owned(), message))
    });
    found.map(|(volume, message)| json!({"volume": volume, "message": message}))
}

/// The first claim of the Pod that keeps it from being scheduled, in the scheduler's words.
pub(super) fn missing_claim(scene: &Scene<'_>) -> Option<String> {
    list(&scene.object, "spec.volumes").iter().find_map(|volume| {
        let name = text(volume, "persistentVolumeClaim.claimName");
        if name.is_empty() {
            return None;
        }
        let why = match scene.cluster.lister().get("persistentvolumeclaims", &Key::new(scene.namespace(), name)) {
            None => format!("persistentvolumeclaim {name:?} not found. not found"),
            Some(claim) if at(&claim.value(), "status.phase").is_none_or(|phase| phase != "Bound") => {
                "pod has unbound immediate PersistentVolumeClaims. not found".to_owned()
            }
            Some(_) => return None,
        };
        scene.wait_for("persistentvolumeclaims", scene.namespace(), name);
        Some(why)
    })
}
