//! Instances: what KubeVirt fills in before one is stored, and the one thing it can't do without.

use serde_json::{Value, json};

use crate::machinery::notation::quantity::{Form, Quantity};
use crate::machinery::notation::value::{at, default, list, set, text};
use crate::machinery::notation::{cause::Cause, clock};
use crate::machinery::status::{Answer, Refusal};

const VALIDATOR: &str = "virtualmachineinstances-create-validator.kubevirt.io";
/// A guest may grow to so many times its memory.
const GROWTH: i128 = 4;

pub(super) fn on_create(vmi: &mut Value) -> Answer<()> {
    let asked = ["memory.guest", "memory.hugepages.pageSize", "resources.requests.memory"];
    if !asked.iter().any(|path| at(vmi, &format!("spec.domain.{path}")).is_some()) {
        let paths = "at least one of 'spec.domain.memory.guest', 'spec.domain.memory.hugepages.pageSize' or 'spec.domain.resources.requests.memory' must be set";
        return Err(Refusal::by_webhook(VALIDATOR, &[Cause::new("FieldValueRequired", "", format!("no memory requested, {paths}"))]));
    }
    for (path, value) in [
        ("architecture", json!("amd64")),
        ("domain.cpu.model", json!("host-model")),
        ("domain.features.acpi.enabled", json!(true)),
        ("domain.machine.type", json!("q35")),
        ("evictionStrategy", json!("None")),
    ] {
        default(vmi, &format!("spec.{path}"), value);
    }
    if let Some(guest) = at(vmi, "spec.domain.memory.guest").and_then(Quantity::of) {
        default(vmi, "spec.domain.memory.maxGuest", Quantity::new(guest.billionths * GROWTH, Form::Binary).to_string());
    }
    for volume in vmi.pointer_mut("/spec/volumes").and_then(Value::as_array_mut).into_iter().flatten() {
        let image = text(volume, "containerDisk.image");
        if !image.is_empty() {
            let fixed = image.rsplit('/').next().is_some_and(|name| name.contains(':') && !name.ends_with(":latest")) || image.contains('@');
            default(volume, "containerDisk.imagePullPolicy", if fixed { "IfNotPresent" } else { "Always" });
        }
    }
    crate::machinery::notation::value::object(&mut vmi["metadata"], "annotations").entry("kubevirt.io/pci-topology-version").or_insert(json!("v3"));
    let mut finalizers = list(vmi, "metadata.finalizers").to_vec();
    let ours = ["kubevirt.io/virtualMachineControllerFinalize", "kubevirt.io/foregroundDeleteVirtualMachine"].map(|f| json!(f));
    finalizers.extend(ours.into_iter().filter(|f| !list(vmi, "metadata.finalizers").contains(f)));
    set(vmi, "metadata.finalizers", Value::Array(finalizers));
    let pending = json!({"phase": "Pending", "phaseTransitionTimestamp": clock::now()});
    set(vmi, "status", json!({"phase": "Pending", "phaseTransitionTimestamps": [pending]}));
    Ok(())
}
