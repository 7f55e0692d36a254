//! VirtualMachines and their instances: what KubeVirt's webhooks default and refuse, in their words.

mod instance;

use serde_json::{Value, json};

use crate::machinery::notation::value::{at, default, list, plain, text};
use crate::machinery::notation::{cause::Cause, quantity::Quantity};
use crate::machinery::registry::Kind;
use crate::machinery::status::{Answer, Refusal};

const VALIDATOR: &str = "virtualmachine-validator.kubevirt.io";
const MUTATOR: &str = "virtualmachines-mutator.kubevirt.io";
const STRATEGIES: &[&str] = &["Always", "Halted", "Manual", "RerunOnFailure", "Once", "WaitAsReceiver"];
const BUSES: &[&str] = &["virtio", "scsi", "sata", "usb"];
const QUANTITY: &str = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

pub(super) fn on_create(kind: &Kind, vm: &mut Value) -> Answer<()> {
    match kind.resource().as_str() {
        "virtualmachines.kubevirt.io" => {}
        "virtualmachineinstances.kubevirt.io" => return instance::on_create(vm),
        _ => return Ok(()),
    }
    refuse(vm)?;
    let serial = uuid::Uuid::new_v4().to_string();
    let uuid = uuid::Uuid::new_v4().to_string();
    crate::machinery::notation::value::object(&mut vm["spec"]["template"], "metadata");
    crate::machinery::notation::value::object(&mut vm["spec"]["template"]["metadata"], "annotations")
        .entry("kubevirt.io/pci-topology-version")
        .or_insert(json!("v3"));
    for (path, value) in [
        ("architecture", json!("amd64")),
        ("domain.firmware.serial", json!(serial)),
        ("domain.firmware.uuid", json!(uuid)),
        ("domain.machine.type", json!("q35")),
        ("domain.resources", json!({})),
    ] {
        default(vm, &format!("spec.template.spec.{path}"), value);
    }
    Ok(())
}

pub(super) fn on_update(kind: &Kind, vm: &Value) -> Answer<()> {
    let deleting = at(vm, "metadata.deletionTimestamp").is_some();
    if kind.resource() == "virtualmachines.kubevirt.io" && !deleting { refuse(vm) } else { Ok(()) }
}

fn refuse(vm: &Value) -> Answer<()> {
    if at(vm, "spec.template").is_none() {
        return Err(Refusal::by_webhook(MUTATOR, &[Cause::new("", "", "spec.template in body is required")]));
    }
    let memory = text(vm, "spec.template.spec.domain.memory.guest");
    if !memory.is_empty() && !memory.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Err(Refusal::new(400, "", format!("admission webhook {MUTATOR:?} denied the request: {QUANTITY}")));
    }
    let mut causes = Vec::new();
    strategy(vm, &mut causes);
    volumes(vm, &mut causes);
    disks(vm, &mut causes);
    memory_limit(vm, &mut causes);
    data_volumes(vm, &mut causes);
    if causes.is_empty() { Ok(()) } else { Err(Refusal::by_webhook(VALIDATOR, &causes)) }
}

fn invalid(field: impl Into<String>, message: impl Into<String>) -> Cause {
    Cause::new("FieldValueInvalid", field, message)
}

fn strategy(vm: &Value, causes: &mut Vec<Cause>) {
    let (running, strategy) = (at(vm, "spec.running"), text(vm, "spec.runStrategy"));
    if running.is_some() && !strategy.is_empty() {
        causes.push(invalid(
            "spec.running",
            "Running and RunStrategy are mutually exclusive. Note that Running is deprecated, please use RunStrategy instead",
        ));
    } else if running.is_none() && strategy.is_empty() {
        causes.push(invalid("spec.running", "RunStrategy must be specified"));
    } else if !strategy.is_empty() && !STRATEGIES.contains(&strategy) {
        causes.push(invalid("spec.runStrategy", format!("Invalid RunStrategy ({strategy})")));
    }
}

fn volumes(vm: &Value, causes: &mut Vec<Cause>) {
    let volumes = list(vm, "spec.template.spec.volumes");
    for (index, volume) in volumes.iter().enumerate() {
        let field = format!("spec.template.spec.volumes[{index}]");
        if let Some(first) = volumes[..index].iter().position(|v| v["name"] == volume["name"]) {
            let message = format!("{field} and spec.template.spec.volumes[{first}] must not have the same Name.");
            causes.push(invalid(format!("{field}.name"), message));
        }
        let sources = volume.as_object().map_or(0, |m| m.keys().filter(|k| *k != "name").count());
        if sources != 1 {
            causes.push(invalid(field.clone(), format!("{field} must have exactly one source type set")));
        }
    }
}

fn disks(vm: &Value, causes: &mut Vec<Cause>) {
    let volumes = list(vm, "spec.template.spec.volumes");
    for (index, disk) in list(vm, "spec.template.spec.domain.devices.disks").iter().enumerate() {
        let field = format!("spec.template.spec.domain.devices.disks[{index}]");
        let (name, bus) = (text(disk, "name"), text(disk, "disk.bus"));
        if !volumes.iter().any(|v| text(v, "name") == name) {
            causes.push(invalid(format!("{field}.name"), format!("{field}.Name '{name}' not found.")));
        }
        if !bus.is_empty() && !BUSES.contains(&bus) {
            let message = format!("{field} is set with an unrecognized bus {bus}, must be one of: [{}]", BUSES.join(" "));
            causes.push(invalid(format!("{field}.disk.bus"), message));
        }
    }
}

fn memory_limit(vm: &Value, causes: &mut Vec<Cause>) {
    let field = |part: &str| format!("spec.template.spec.domain.resources.{part}.memory");
    let (Some(asked), Some(most)) = (at(vm, &field("requests")), at(vm, &field("limits"))) else { return };
    let amount = |value| Quantity::of(value).map(|q| q.billionths);
    if amount(asked) > amount(most) {
        let message = format!("{} '{}' is greater than {} '{}'", field("requests"), plain(asked), field("limits"), plain(most));
        causes.push(invalid(field("requests"), message));
    }
}

fn data_volumes(vm: &Value, causes: &mut Vec<Cause>) {
    let volumes = list(vm, "spec.template.spec.volumes");
    for (index, template) in list(vm, "spec.dataVolumeTemplates").iter().enumerate() {
        let field = format!("spec.dataVolumeTemplate[{index}]");
        let name = text(template, "metadata.name");
        if at(template, "spec.pvc").or(at(template, "spec.storage")).is_none() {
            causes.push(invalid(format!("{field}.PVC.Storage"), "Missing Data volume PVC or Storage"));
        } else if !volumes.iter().any(|v| text(v, "dataVolume.name") == name || text(v, "persistentVolumeClaim.claimName") == name) {
            causes.push(invalid(field.clone(), format!("DataVolumeTemplate entry {field} must be referenced in the VMI template's 'volumes' list")));
        }
    }
}
