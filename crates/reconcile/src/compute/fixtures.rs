//! Intents and views for tests.

use std::time::Duration;

use members::{Condition, PodPhase, PodView, VmView, VmiView};
use store::{ClusterIntent, InstanceIntent, InstanceObserved};
use types::{Bytes, ClusterId, ClusterName, Desired, InstanceId, InstanceStatus, InstanceType, MemberId, MilliCpu, UserId, quantity::GIB};

use super::memory::Ages;

pub(super) fn instance(ordinal: i32) -> InstanceIntent {
    InstanceIntent {
        id: InstanceId(40 + i64::from(ordinal)),
        ordinal,
        name: format!("web-instance-{ordinal}"),
        desired: Desired::Running,
        generation: 1,
        start_generation: 1,
        deleting: false,
        observed: InstanceObserved {
            status: InstanceStatus::Pending,
            generation: 0,
            reason: None,
            message: None,
            ip: None,
            node: None,
            incarnation: None,
        },
    }
}

pub(super) fn cluster(instance_type: InstanceType) -> ClusterIntent {
    ClusterIntent {
        id: ClusterId(7),
        owner: UserId(1),
        member: MemberId::LOCAL,
        name: ClusterName::parse("web").unwrap(),
        namespace: "web-ns".into(),
        namespace_uid: None,
        claim: "claim".into(),
        instance_type,
        cpu: match instance_type {
            InstanceType::Container => MilliCpu(500),
            InstanceType::Vm => MilliCpu(2_000),
        },
        memory: Bytes(4 * GIB),
        disk: None,
        image: "nginx:latest".into(),
        ssh_public_key: None,
        cloud_init: None,
        generation: 1,
        observed_generation: 0,
        deleting: false,
        instances: vec![instance(1), instance(2), instance(3)],
    }
}

pub(super) fn with_everything(instance_type: InstanceType) -> ClusterIntent {
    ClusterIntent {
        disk: Some(Bytes(10 * GIB)),
        ssh_public_key: Some("ssh-ed25519 AAAA \"me\"@home".into()),
        cloud_init: (instance_type == InstanceType::Vm).then(|| "#cloud-config\npackages: [git]\n".into()),
        ..cluster(instance_type)
    }
}

/// Now, in seconds since 1970.
pub(super) const NOW: i64 = 1_000_000;
/// How far two clocks may be apart.
pub(super) const HOUR: i64 = 3_600;

/// Of what runs since long and was not deleted.
pub(super) const AGES: Ages = Ages { terminating: Duration::ZERO, running: Duration::MAX };

pub(super) fn condition(reason: &str, message: &str) -> Condition {
    Condition { kind: String::new(), reason: reason.into(), message: message.into() }
}

pub(super) fn pod() -> PodView {
    PodView { name: "web-instance-1".into(), start_generation: 1, node: Some("node-1".into()), ip: Some("10.0.0.1".into()), ..PodView::default() }
}

pub(super) fn running() -> PodView {
    PodView { phase: PodPhase::Running, running_since: Some(NOW - 100), ..pod() }
}

pub(super) fn wanted(desired: Desired) -> InstanceIntent {
    InstanceIntent { desired, ..instance(1) }
}

pub(super) fn machine(strategy: &str, printable: &str) -> VmView {
    let created = !matches!(printable, "" | "Stopped");
    VmView { name: "web-instance-1".into(), run_strategy: strategy.into(), printable: printable.into(), created, ..VmView::default() }
}

pub(super) fn paused(reason: &str) -> VmView {
    VmView { paused: Some(reason.into()), ..machine("Always", "Paused") }
}

/// One whose intent has settled.
pub(super) fn settled(desired: Desired) -> InstanceIntent {
    let mut instance = wanted(desired);
    instance.observed.status = desired.settled();
    instance.observed.generation = instance.generation;
    instance
}

/// A VM that was suspended, its memory held by a VirtualMachineInstance of that UID.
pub(super) fn asleep(uid: &str) -> InstanceIntent {
    let mut instance = settled(Desired::Suspended);
    instance.observed.incarnation = Some(uid.into());
    instance
}

pub(super) fn incarnation(uid: &str) -> VmiView {
    VmiView { uid: uid.into(), name: "web-instance-1".into(), ..VmiView::default() }
}
