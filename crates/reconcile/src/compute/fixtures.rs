//! Intents for tests.

use store::{ClusterIntent, InstanceIntent, InstanceObserved};
use types::{Bytes, ClusterId, ClusterName, Desired, InstanceId, InstanceStatus, InstanceType, MemberId, MilliCpu, UserId, quantity::GIB};

pub(super) fn instance(ordinal: i32) -> InstanceIntent {
    InstanceIntent {
        id: InstanceId(40 + i64::from(ordinal)),
        ordinal,
        name: format!("web-instance-{ordinal}"),
        desired: Desired::Running,
        generation: 1,
        start_generation: 1,
        deleting: false,
        observed: InstanceObserved { status: InstanceStatus::Pending, generation: 0, reason: None, message: None, ip: None, node: None },
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
