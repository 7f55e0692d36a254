//! A VirtualMachine called `vm`: what it is made of, and its life as watches saw it.
//!
//! Controllers write often and at moments of their own, so that two runs on one server agree in the values that each field
//! went through, and hardly in the steps. A life is therefore told field by field. What a busy controller shows only in
//! passing it may skip ([`skipped`]); the sandbox skips nothing.

use serde_json::{Map, Value, json};

use super::talk::Talk;

pub(crate) const VMS: &str = "/apis/kubevirt.io/v1/namespaces/{ns}/virtualmachines";
pub(crate) const VMIS: &str = "/apis/kubevirt.io/v1/namespaces/{ns}/virtualmachineinstances";
pub(crate) const VM: &str = "/apis/kubevirt.io/v1/namespaces/{ns}/virtualmachines/vm";
pub(crate) const VMI: &str = "/apis/kubevirt.io/v1/namespaces/{ns}/virtualmachineinstances/vm";
pub(crate) const PODS: &str = "/api/v1/namespaces/{ns}/pods";
const CALLS: &str = "/apis/subresources.kubevirt.io/v1/namespaces/{ns}";

/// The machine of most cases.
pub(crate) fn machine(strategy: &str) -> Value {
    json!({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": "vm"}, "spec": {"runStrategy": strategy, "template": {
        "metadata": {"labels": {"app": "vm"}}, "spec": {"terminationGracePeriodSeconds": 5, "networks": [{"name": "default", "pod": {}}],
            "volumes": [{"name": "root", "containerDisk": {"image": "registry.test/disk:1"}}],
            "domain": {"cpu": {"cores": 2}, "memory": {"guest": "1Gi"}, "devices": {"disks": [{"name": "root", "disk": {"bus": "virtio"}}],
                "interfaces": [{"name": "default", "masquerade": {}}]}}}}}})
}

/// The same, made to fail.
pub(crate) fn failing(strategy: &str, how: &str) -> Value {
    let mut vm = machine(strategy);
    vm["spec"]["template"]["metadata"]["annotations"] = json!({"sandbox.kubekcloud.io/fail": how});
    vm
}

/// A path below the machine's subresources.
pub(crate) fn of_vm(verb: &str) -> String {
    format!("{CALLS}/virtualmachines/vm/{verb}")
}

/// A path below its instance's subresources.
pub(crate) fn of_vmi(verb: &str) -> String {
    format!("{CALLS}/virtualmachineinstances/vm/{verb}")
}

pub(crate) fn shows(vm: &Value, status: &str) -> bool {
    vm["status"]["printableStatus"] == status
}

pub(crate) fn is_ready(vm: &Value) -> bool {
    shows(vm, "Running") && vm["status"]["ready"] == true && vm["status"]["stateChangeRequests"].is_null()
}

/// Stopped, and its instance is gone.
pub(crate) fn is_off(vm: &Value) -> bool {
    shows(vm, "Stopped")
        && vm["status"]["created"].is_null()
        && reason(vm, "Ready") == "VMINotExists"
        && vm["status"]["stateChangeRequests"].is_null()
}

pub(crate) fn reason<'o>(object: &'o Value, kind: &str) -> &'o str {
    condition(object, kind)["reason"].as_str().unwrap_or_default()
}

pub(crate) fn condition<'o>(object: &'o Value, kind: &str) -> &'o Value {
    conditions(object).find(|c| c["type"] == kind).unwrap_or(&Value::Null)
}

fn conditions(object: &Value) -> impl Iterator<Item = &Value> {
    object["status"]["conditions"].as_array().into_iter().flatten()
}

/// What happened to the machine and its instances since the last look.
pub(crate) struct Life {
    machines: String,
    instances: String,
    /// How the machine and its instance were when they were told of last.
    before: [Value; 2],
}

impl Life {
    pub(crate) async fn begin(t: &mut Talk) -> Life {
        Life { machines: version(t, VMS).await, instances: version(t, VMIS).await, before: [Value::Null, Value::Null] }
    }

    /// Creates the machine and waits.
    pub(crate) async fn of(t: &mut Talk, machine: Value, wanted: impl Fn(&Value) -> bool) -> Life {
        let life = Life::begin(t).await;
        t.post(VMS, machine).quiet().await;
        t.until(VM, wanted).await;
        life
    }

    /// Waits, and tells what happened.
    pub(crate) async fn tell(&mut self, t: &mut Talk, what: &str, wanted: impl Fn(&Value) -> bool) {
        t.until(VM, wanted).await;
        let mut machine = t.history(&format!("{VMS}?watch=true&resourceVersion={}", self.machines)).await;
        let mut instances = t.history(&format!("{VMIS}?watch=true&resourceVersion={}", self.instances)).await;
        (self.machines, self.instances) = (version(t, VMS).await, version(t, VMIS).await);
        for (events, before) in [&mut machine, &mut instances].into_iter().zip(&mut self.before) {
            if !events.is_empty() && !before.is_null() {
                events.insert(0, json!({"object": before}));
            }
            if let Some(last) = events.last() {
                *before = if last["type"] == "DELETED" { Value::Null } else { last["object"].clone() };
            }
        }
        let mut uids: Vec<&Value> = instances.iter().map(|e| &e["object"]["metadata"]["uid"]).collect();
        uids.dedup();
        let each = |uid: &&Value| tale(instances.iter().filter(|e| e["object"]["metadata"]["uid"] == **uid), INSTANCE);
        let instances: Vec<Value> = uids.iter().map(each).collect();
        t.note(what, json!({"machine": tale(machine.iter(), MACHINE), "instances": instances}));
    }
}

async fn version(t: &mut Talk, path: &str) -> String {
    t.get(path).quiet().await.body["metadata"]["resourceVersion"].as_str().expect("a version").to_owned()
}

type Field = (&'static str, fn(&Value) -> Value);

const MACHINE: &[Field] = &[
    ("shown", |o| o["status"]["printableStatus"].clone()),
    ("created", |o| o["status"]["created"].clone()),
    ("ready", |o| o["status"]["ready"].clone()),
    ("requests", |o| o["status"]["stateChangeRequests"].clone()),
    ("strategy", |o| o["spec"]["runStrategy"].clone()),
    ("failures", |o| o["status"]["startFailure"]["consecutiveFailCount"].clone()),
    ("Ready", |o| condition(o, "Ready")["status"].clone()),
    ("conditions", others),
];

const INSTANCE: &[Field] =
    &[("phase", |o| o["status"]["phase"].clone()), ("deleting", |o| json!(o["metadata"]["deletionTimestamp"].is_string())), ("conditions", others)];

fn brief(condition: &Value) -> Value {
    let word = |field: &str| condition[field].as_str().unwrap_or_default().to_owned();
    json!(format!("{} {}", word("status"), word("reason")).trim())
}

fn others(object: &Value) -> Value {
    let mut all: Vec<String> = conditions(object)
        .filter(|c| c["type"] != "Ready")
        .map(|c| format!("{} {}", c["type"].as_str().unwrap_or_default(), brief(c).as_str().unwrap_or_default()))
        .collect();
    all.sort();
    json!(all)
}

/// The values that each field went through.
fn tale<'e>(events: impl Iterator<Item = &'e Value> + Clone, fields: &[Field]) -> Value {
    let mut tale: Map<String, Value> = Map::new();
    for (name, read) in fields {
        let mut values: Vec<Value> = events.clone().map(|e| read(&e["object"])).collect();
        values.dedup();
        tale.insert((*name).to_owned(), json!(values));
    }
    let gone = events.last().is_some_and(|e| e["type"] == "DELETED");
    tale.insert("gone".to_owned(), json!(gone));
    Value::Object(tale)
}

/// Takes what a real server skipped, or showed in passing for once, for the same: in every list of values the one run's are
/// among the other's, in the same order and with the same last one.
pub(crate) fn skipped(recorded: &Value, found: &mut Value) {
    for (recorded, found) in recorded.as_array().into_iter().flatten().zip(found.as_array_mut().into_iter().flatten()) {
        let (was, Some(is)) = (&recorded["value"], found.get_mut("value")) else { continue };
        if was["machine"].is_object() && is["machine"].is_object() {
            same_tale(&was["machine"], &mut is["machine"]);
            let instances = was["instances"].as_array().into_iter().flatten();
            instances.zip(is["instances"].as_array_mut().into_iter().flatten()).for_each(|(was, is)| same_tale(was, is));
        }
    }
}

fn same_tale(recorded: &Value, found: &mut Value) {
    for (field, found) in found.as_object_mut().into_iter().flatten() {
        if let (Value::Array(a), Value::Array(b)) = (&recorded[field], &*found)
            && a.last() == b.last()
            && (is_among(a, b) || is_among(b, a))
        {
            *found = recorded[field].clone();
        }
    }
}

fn is_among(few: &[Value], many: &[Value]) -> bool {
    let mut many = many.iter();
    few.iter().all(|value| many.any(|other| other == value))
}

#[test]
fn a_real_server_may_skip_a_value_and_nothing_else() {
    let life = |shown: Value| json!([{"note": "x", "value": {"machine": {"shown": shown}, "instances": []}}]);
    let whole = life(json!(["Stopped", "Starting", "Running"]));
    for (shown, same) in
        [(json!(["Stopped", "Running"]), true), (json!(["Stopped", "Starting"]), false), (json!(["Starting", "Stopped", "Running"]), false)]
    {
        let mut found = life(shown);
        skipped(&whole, &mut found);
        assert_eq!(found == whole, same);
    }
}
