//! What is seen of VMs, as a table.

use members::{KubeVirt, VmiView};
use types::InstanceType;

use super::*;
use crate::{
    compute::{
        fixtures::{self, AGES, asleep, condition, incarnation, machine, paused, settled, wanted},
        judge,
        observe::Observed,
    },
    requeue::Requeue,
};

#[test]
fn vms_are_judged_by_their_printable_status() {
    use Desired::*;
    use InstanceStatus as S;
    let here = VmiView::default();
    let failing = VmView { failure: Some(condition("FailedCreate", "denied")), ..machine("Always", "Stopped") };
    let table = [
        (Running, None, None, Seen::Starting),
        (Running, Some(machine("Always", "")), None, Seen::Starting),
        (Running, Some(machine("Always", "Stopped")), None, Seen::Starting),
        (Running, Some(machine("Always", "Starting")), Some(&here), Seen::Starting),
        (Running, Some(machine("Always", "Provisioning")), None, Seen::Starting),
        (Running, Some(machine("Always", "Running")), Some(&here), Seen::Arrived(S::Running)),
        (Running, Some(machine("Always", "Migrating")), Some(&here), Seen::Arrived(S::Running)),
        (Running, Some(machine("Always", "Stopping")), Some(&here), Seen::Starting),
        (Running, Some(paused("PausedByUser")), Some(&here), Seen::Unchanged),
        (Running, Some(paused("PausedIOError")), Some(&here), Seen::Degraded),
        (Running, Some(paused("PausedByMigrationMonitor")), Some(&here), Seen::Arrived(S::Running)),
        (Running, Some(machine("Always", "ErrorUnschedulable")), Some(&here), Seen::Degraded),
        (Running, Some(machine("Always", "ErrImagePull")), Some(&here), Seen::Degraded),
        (Running, Some(machine("Always", "CrashLoopBackOff")), None, Seen::Degraded),
        (Running, Some(machine("Always", "Unknown")), Some(&here), Seen::Unchanged),
        (Running, Some(failing.clone()), None, Seen::Failed),
        (Suspended, Some(machine("Always", "Running")), Some(&here), Seen::Unchanged),
        (Suspended, Some(paused("PausedByUser")), Some(&here), Seen::Arrived(S::Suspended)),
        (Suspended, Some(paused("PausedIOError")), Some(&here), Seen::Failed),
        (Stopped, Some(paused("PausedIOError")), Some(&here), Seen::Unchanged),
        (Stopped, Some(paused("PausedByUser")), Some(&here), Seen::Unchanged),
        (Stopped, Some(machine("Halted", "Unknown")), Some(&here), Seen::Unchanged),
        (Stopped, Some(machine("Halted", "Running")), Some(&here), Seen::Unchanged),
        (Stopped, Some(machine("Halted", "Stopping")), Some(&here), Seen::Unchanged),
        (Stopped, Some(machine("Halted", "Stopped")), Some(&here), Seen::Unchanged),
        (Stopped, Some(machine("Halted", "Stopped")), None, Seen::Arrived(S::Stopped)),
        (Stopped, Some(VmView { paused: Some("PausedByUser".into()), ..machine("Halted", "Stopped") }), None, Seen::Arrived(S::Stopped)),
        (Stopped, None, None, Seen::Arrived(S::Stopped)),
    ];
    for (desired, view, instance, seen) in table {
        let finding = find(&wanted(desired), view.as_ref(), instance);
        assert_eq!(finding.seen, seen, "{desired} {view:?}");
    }
    let finding = find(&wanted(Running), Some(&failing), None);
    assert_eq!((finding.reason.as_deref(), finding.message.as_deref()), (Some("FailedCreate"), Some("denied")));
}

#[test]
fn a_vm_that_its_storage_stopped_has_failed_once_it_did_not_go_on() {
    let stopped = paused("PausedIOError");
    let seen = |instance: &InstanceIntent| find(instance, Some(&stopped), Some(&VmiView::default())).seen;
    assert_eq!((seen(&wanted(Desired::Running)), seen(&settled(Desired::Running))), (Seen::Degraded, Seen::Failed));
}

#[test]
fn lost_memory_is_said_and_never_called_suspended() {
    use InstanceStatus::{Stopped, Suspended};
    let asleep = asleep("first");
    let (first, other) = (incarnation("first"), incarnation("other"));
    let table = [
        (paused("PausedByUser"), Some(&first), Seen::Arrived(Suspended), None),
        (paused("PausedByUser"), None, Seen::Arrived(Suspended), None),
        (paused("PausedByUser"), Some(&other), Seen::Degraded, Some("MemoryLost")),
        (machine("Always", "Running"), Some(&other), Seen::Degraded, Some("MemoryLost")),
        (machine("Halted", "Stopping"), Some(&other), Seen::Degraded, Some("MemoryLost")),
        (machine("Always", "Stopped"), None, Seen::Degraded, Some("MemoryLost")),
        (machine("Halted", "Stopped"), None, Seen::Arrived(Stopped), Some("MemoryLost")),
    ];
    for (view, vmi, seen, reason) in table {
        let finding = find(&asleep, Some(&view), vmi);
        assert_eq!((finding.seen, finding.reason.as_deref()), (seen, reason), "{view:?} {vmi:?}");
    }
    assert_eq!(find(&asleep, None, None).reason.as_deref(), Some("MemoryLost"), "somebody deleted the VM");
}

#[test]
fn whose_memory_a_suspended_vm_keeps_is_recorded_when_the_pause_settles() {
    let record = |instance: &InstanceIntent, view: VmView, uid: Option<&str>| {
        let vmi = uid.map(incarnation);
        let finding = find(instance, Some(&view), vmi.as_ref());
        judge::settle(instance, &finding, Duration::ZERO, Duration::from_secs(180))
    };
    let wanted = wanted(Desired::Suspended);
    assert_eq!(record(&wanted, machine("Always", "Running"), Some("first")).incarnation, None, "not paused yet");
    let recorded = record(&wanted, paused("PausedByUser"), Some("first"));
    assert_eq!((recorded.status, recorded.incarnation.as_deref()), (InstanceStatus::Suspended, Some("first")));
    let unseen = InstanceIntent { observed: record(&wanted, paused("PausedByUser"), None), ..wanted };
    assert_eq!(record(&unseen, paused("PausedByUser"), Some("first")).incarnation.as_deref(), Some("first"), "as soon as it shows");
    let lost = record(&asleep("first"), machine("Halted", "Stopped"), None);
    assert_eq!((lost.status, lost.generation, lost.incarnation.as_deref()), (InstanceStatus::Stopped, 1, Some("first")), "it stays lost");
    assert!(lost.status.settles(Desired::Suspended));
    let resumed = InstanceIntent { desired: Desired::Running, generation: 2, ..asleep("first") };
    assert_eq!(record(&resumed, machine("Always", "Running"), Some("other")).incarnation, None);
}

#[test]
fn without_kubevirt_a_vm_waits_and_then_fails() {
    const GRACE: Duration = Duration::from_secs(180);
    let cluster = fixtures::cluster(InstanceType::Vm);
    let mut observed = Observed::default();
    observed.kubevirt = KubeVirt::Absent;
    let up = wanted(Desired::Running);
    let finding = judge::find(&cluster, &up, &observed, None, AGES);
    assert_eq!((finding.seen, finding.reason.as_deref()), (Seen::Degraded, Some("KubeVirtNotInstalled")));
    assert_eq!(finding.requeue, Requeue::after(Duration::from_secs(30)), "it is named when KubeVirt comes");
    assert_eq!(judge::settle(&up, &finding, GRACE - Duration::from_secs(1), GRACE).status, InstanceStatus::Pending);
    let failed = judge::settle(&up, &finding, GRACE, GRACE);
    assert_eq!((failed.status, failed.generation), (InstanceStatus::Failed, up.generation));
    assert_eq!(failed.reason.as_deref(), Some("KubeVirtNotInstalled"));

    let down = wanted(Desired::Stopped);
    assert_eq!(judge::find(&cluster, &down, &observed, None, AGES).seen, Seen::Arrived(InstanceStatus::Stopped));
    observed.kubevirt = KubeVirt::Served;
    assert_eq!(judge::find(&cluster, &up, &observed, None, AGES).seen, Seen::Starting);
}
