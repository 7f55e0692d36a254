//! What a tenant may ask of an instance, and what may be seen of it.

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word used in JSON, in SQL and in labels.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// The value for a word; `None` for any other word.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words!(
    /// What an instance is made of.
    InstanceType {
        /// A Pod.
        Container = "container",
        /// A KubeVirt VirtualMachine.
        Vm = "vm",
    }
);
words!(
    /// What a tenant wants an instance to be: the intent.
    Desired {
        /// Up.
        Running = "running",
        /// Down; only `start` wakes it.
        Stopped = "stopped",
        /// Asleep; only `resume` wakes it.
        Suspended = "suspended",
    }
);
words!(
    /// What an instance was last seen to be.
    InstanceStatus {
        /// Being created or started.
        Pending = "pending",
        /// Up.
        Running = "running",
        /// Down.
        Stopped = "stopped",
        /// Asleep.
        Suspended = "suspended",
        /// Could not be brought to where it should be; `reason` says why.
        Failed = "failed",
    }
);
words!(
    /// What a cluster as a whole is, derived from its instances.
    ClusterStatus {
        /// At least one instance is pending, none failed.
        Pending = "pending",
        /// All instances run.
        Running = "running",
        /// All are stopped.
        Stopped = "stopped",
        /// All are suspended.
        Suspended = "suspended",
        /// At least one failed.
        Failed = "failed",
        /// Some run, others are stopped or suspended.
        Mixed = "mixed",
        /// On its way out.
        Deleting = "deleting",
    }
);
words!(
    /// Where an instance is going when it is not there yet.
    Transition {
        /// To running, from stopped or failed.
        Starting = "starting",
        /// To stopped.
        Stopping = "stopping",
        /// To suspended.
        Suspending = "suspending",
        /// To running, from suspended.
        Resuming = "resuming",
        /// To gone.
        Deleting = "deleting",
    }
);
words!(
    /// What a tenant may do to an instance.
    Operation {
        /// Bring up a stopped or failed instance.
        Start = "start",
        /// Take down a running or failed one.
        Stop = "stop",
        /// Put a running one to sleep.
        Suspend = "suspend",
        /// Wake a suspended one.
        Resume = "resume",
    }
);
words!(
    /// What a user may do.
    Role {
        /// Everything, for everyone.
        Admin = "admin",
        /// Everything of their own.
        User = "user",
        /// Look at their own.
        Viewer = "viewer",
    }
);

impl Operation {
    /// Where the operation leads.
    pub const fn target(self) -> Desired {
        match self {
            Self::Start | Self::Resume => Desired::Running,
            Self::Stop => Desired::Stopped,
            Self::Suspend => Desired::Suspended,
        }
    }

    /// What may be asked of an instance that is wanted to be `desired` and was last seen as `status`.
    ///
    /// One that has settled goes by its status. One that has not (its node is gone, its pause is refused) may never
    /// settle: what leads back, or out, is always allowed. Reconciling goes by what is wanted now, so that nothing but
    /// the latest request counts.
    pub const fn allowed(desired: Desired, status: InstanceStatus, settled: bool) -> &'static [Self] {
        match (settled, desired, status) {
            // It lost its memory while it slept: to resume it means to start it.
            (true, Desired::Suspended, InstanceStatus::Stopped) => &[Self::Start, Self::Resume],
            (true, ..) => status.allowed(),
            (false, Desired::Running, _) => &[Self::Stop],
            (false, Desired::Stopped, _) => &[Self::Start],
            (false, Desired::Suspended, _) => &[Self::Resume, Self::Stop],
        }
    }
}

impl Desired {
    /// The status of an instance that has arrived here.
    pub const fn settled(self) -> InstanceStatus {
        match self {
            Self::Running => InstanceStatus::Running,
            Self::Stopped => InstanceStatus::Stopped,
            Self::Suspended => InstanceStatus::Suspended,
        }
    }
}

impl InstanceStatus {
    /// What may be done in this status once it has settled; [`Operation::allowed`] is the whole rule. A repeat of the
    /// present state is allowed besides, as a no-op.
    pub const fn allowed(self) -> &'static [Operation] {
        match self {
            Self::Pending => &[],
            Self::Running => &[Operation::Stop, Operation::Suspend],
            Self::Stopped => &[Operation::Start],
            Self::Suspended => &[Operation::Resume],
            Self::Failed => &[Operation::Start, Operation::Stop],
        }
    }

    /// Whether an instance that is wanted to be `desired` has come to rest here: it is what is wanted, or it is known why
    /// it is not. A suspended one that lost its memory is stopped, and no request of its owner made it so.
    pub fn settles(self, desired: Desired) -> bool {
        self == desired.settled() || self == Self::Failed || (desired, self) == (Desired::Suspended, Self::Stopped)
    }

    /// Whether `operation` asks for what already is.
    pub fn is_at(self, operation: Operation) -> bool {
        self == operation.target().settled()
    }
}

words!(
    /// What suspending an instance does to it.
    Suspension {
        /// It stops where it is, and its memory stays.
        PausedInRam = "paused-in-ram",
        /// It ends, and its disk stays.
        ScaleToZero = "scale-to-zero",
    }
);

/// What is reported of suspension: a VM keeps its memory, a container does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuspendSemantics {
    /// What is done.
    pub name: Suspension,
    /// Whether processes go on where they were.
    pub memory_preserved: bool,
    /// Whether a suspended instance outlives the loss of its node.
    pub survives_node_loss: bool,
}

impl InstanceType {
    /// What `suspend` means for this kind of instance.
    pub const fn suspend_semantics(self) -> SuspendSemantics {
        match self {
            Self::Vm => SuspendSemantics { name: Suspension::PausedInRam, memory_preserved: true, survives_node_loss: false },
            Self::Container => SuspendSemantics { name: Suspension::ScaleToZero, memory_preserved: false, survives_node_loss: true },
        }
    }
}

impl ClusterStatus {
    /// Folds the instances' statuses into one.
    pub fn of(deleting: bool, statuses: impl IntoIterator<Item = InstanceStatus>) -> Self {
        if deleting {
            return Self::Deleting;
        }
        let mut seen = [false; InstanceStatus::ALL.len()];
        for status in statuses {
            seen[status as usize] = true;
        }
        let has = |status: InstanceStatus| seen[status as usize];
        if has(InstanceStatus::Failed) {
            Self::Failed
        } else if has(InstanceStatus::Pending) {
            Self::Pending
        } else {
            match (has(InstanceStatus::Running), has(InstanceStatus::Stopped), has(InstanceStatus::Suspended)) {
                (true, false, false) => Self::Running,
                (false, true, false) => Self::Stopped,
                (false, false, true) => Self::Suspended,
                (false, false, false) => Self::Pending,
                _ => Self::Mixed,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_table_is_the_seeds() {
        let table: Vec<_> = InstanceStatus::ALL
            .iter()
            .flat_map(|status| status.allowed().iter().map(move |op| (status.as_str(), op.as_str(), op.target().as_str())))
            .collect();
        assert_eq!(
            table,
            [
                ("running", "stop", "stopped"),
                ("running", "suspend", "suspended"),
                ("stopped", "start", "running"),
                ("suspended", "resume", "running"),
                ("failed", "start", "running"),
                ("failed", "stop", "stopped"),
            ]
        );
    }

    #[test]
    fn whatever_does_not_settle_has_a_way_back_or_out() {
        use Operation::*;
        for status in InstanceStatus::ALL.iter().copied() {
            assert_eq!(Operation::allowed(Desired::Running, status, false), [Stop], "{status}");
            assert_eq!(Operation::allowed(Desired::Stopped, status, false), [Start], "{status}");
            assert_eq!(Operation::allowed(Desired::Suspended, status, false), [Resume, Stop], "{status}");
            for desired in [Desired::Running, Desired::Stopped] {
                assert_eq!(Operation::allowed(desired, status, true), status.allowed(), "settled: the seeds' table");
            }
        }
        assert_eq!(Operation::allowed(Desired::Suspended, InstanceStatus::Suspended, true), [Resume]);
        assert_eq!(Operation::allowed(Desired::Suspended, InstanceStatus::Stopped, true), [Start, Resume], "its memory is lost");
    }

    #[test]
    fn what_is_wanted_settles_and_so_do_failure_and_lost_memory() {
        let settling = |desired| InstanceStatus::ALL.iter().copied().filter(|status| status.settles(desired)).collect::<Vec<_>>();
        assert_eq!(settling(Desired::Running), [InstanceStatus::Running, InstanceStatus::Failed]);
        assert_eq!(settling(Desired::Stopped), [InstanceStatus::Stopped, InstanceStatus::Failed]);
        assert_eq!(settling(Desired::Suspended), [InstanceStatus::Stopped, InstanceStatus::Suspended, InstanceStatus::Failed]);
    }

    #[test]
    fn a_cluster_is_what_its_instances_are() {
        use InstanceStatus::*;
        assert_eq!(ClusterStatus::of(false, [Running, Running]), ClusterStatus::Running);
        assert_eq!(ClusterStatus::of(false, [Running, Stopped]), ClusterStatus::Mixed);
        assert_eq!(ClusterStatus::of(false, [Running, Failed, Pending]), ClusterStatus::Failed);
        assert_eq!(ClusterStatus::of(false, [Running, Pending]), ClusterStatus::Pending);
        assert_eq!(ClusterStatus::of(true, [Running]), ClusterStatus::Deleting);
    }
}
