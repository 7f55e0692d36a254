use super::*;

fn machine(phase: &str) -> Value {
    json!({
        "metadata": {"uid": "u-1", "annotations": {}},
        "spec": {"domain": {"memory": {"guest": "1Gi"}, "devices": {"interfaces": [{"name": "default", "masquerade": {}}]}}},
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": "False"}]},
    })
}

fn types(machine: &Value) -> Vec<&str> {
    let conditions = machine["status"]["conditions"].as_array().unwrap();
    conditions.iter().map(|condition| condition["type"].as_str().unwrap()).collect()
}

#[test]
fn a_scheduled_machine_boots_and_a_deleted_one_shuts_down() {
    let mut machine = machine("Scheduled");
    assert_eq!(next(&machine), Next::Boot);
    machine["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(next(&machine), Next::ShutDown);
    machine["status"]["phase"] = json!("Succeeded");
    assert_eq!(next(&machine), Next::Nothing);
}

#[test]
fn annotations_choose_faults() {
    let mut machine = machine("Scheduled");
    machine["metadata"]["annotations"][FAIL] = json!("crash-loop");
    assert_eq!(next(&machine), Next::FailToBoot);
    machine["metadata"]["annotations"][FAIL] = json!("stuck");
    machine["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(next(&machine), Next::Nothing);
}

#[test]
fn a_running_guest_ends_when_told() {
    let mut machine = machine("Running");
    assert_eq!(next(&machine), Next::Nothing);
    machine["metadata"]["annotations"][GUEST] = json!("power-off");
    assert_eq!(next(&machine), Next::End("Succeeded"));
    machine["metadata"]["annotations"][GUEST] = json!("crash");
    assert_eq!(next(&machine), Next::End("Failed"));
}

#[test]
fn a_booted_guest_reports_address_memory_and_conditions() {
    let mut machine = machine("Scheduled");
    boot(&mut machine, Some("127.96.0.7"), "2026-01-01T00:00:00Z");
    assert_eq!(phase(&machine), "Running");
    assert_eq!(machine["status"]["interfaces"][0]["ipAddress"], "127.96.0.7");
    assert_eq!(machine["status"]["memory"]["guestCurrent"], "1Gi");
    assert_eq!(machine["status"]["phaseTransitionTimestamps"][0]["phase"], "Running");
    assert_eq!(types(&machine), ["Ready", "LiveMigratable", "StorageLiveMigratable"]);
}

#[test]
fn pause_adds_one_condition_and_unpause_removes_it() {
    let mut machine = machine("Running");
    pause(&mut machine, "2026-01-01T00:00:00Z");
    pause(&mut machine, "2026-01-01T00:00:01Z");
    assert_eq!(types(&machine), ["Ready", "Paused"]);
    unpause(&mut machine);
    assert_eq!(types(&machine), ["Ready"]);

    let mut bare = json!({"status": {"phase": "Running"}});
    let before = bare.clone();
    unpause(&mut bare);
    assert_eq!(bare, before);
}

#[test]
fn start_paused_boots_into_pause() {
    let mut machine = machine("Scheduled");
    machine["spec"]["startStrategy"] = json!("Paused");
    boot(&mut machine, None, "2026-01-01T00:00:00Z");
    assert!(types(&machine).contains(&"Paused"));
}
