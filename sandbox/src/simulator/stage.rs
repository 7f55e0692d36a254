//! The stages, as declared in `stages/*.yaml`: which objects, under which conditions, after which delay, what then.
//!
//! Stages stand in groups. In a group the first stage that matches counts; its effects are idempotent, so that a stage
//! whose object is already as it should be changes nothing, and the group rests.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::Error;

/// Stages that exclude one another.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    /// The table of the store, such as `pods` or `deployments.apps`.
    pub(crate) on: String,
    /// Tables of owners whose changes matter to the objects.
    #[serde(default)]
    pub(crate) follows: Vec<String>,
    /// Tables (`*` for all) whose changes matter to the objects of the same namespace.
    #[serde(default)]
    pub(crate) hears: Vec<String>,
    /// What is heard matters only to objects that are being deleted.
    #[serde(default)]
    pub(crate) when_deleting: bool,
    pub(crate) stages: Vec<Stage>,
}

/// One stage.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stage {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) when: When,
    /// Milliseconds, from and to.
    #[serde(default)]
    pub(crate) delay: (u64, u64),
    /// A path to a count: from the second on, each doubles the delay, up to five minutes.
    #[serde(default)]
    pub(crate) doubles: Option<String>,
    /// A path to a number of seconds that are added to the delay.
    #[serde(default)]
    pub(crate) seconds: Option<String>,
    /// A path to a time before which nothing is done.
    #[serde(default)]
    pub(crate) until: Option<String>,
    /// Does the same again after so many milliseconds, as long as it fits.
    #[serde(default)]
    pub(crate) every: Option<u64>,
    /// The field manager that the real thing would write as.
    #[serde(default = "anybody", rename = "as")]
    pub(crate) writer: String,
    /// Merged into the object, strategically.
    #[serde(default)]
    pub(crate) patch: Option<Value>,
    /// Merged after it, each if it fits.
    #[serde(default)]
    pub(crate) also: Vec<Also>,
    /// Written when the patch changed something, or there is none.
    #[serde(default)]
    pub(crate) events: Vec<EventTemplate>,
    /// Done after the patch, whether or not it changed something.
    #[serde(default, rename = "do")]
    pub(crate) steps: Vec<Step>,
}

fn anybody() -> String {
    "sandbox".to_owned()
}

/// A part of a patch that depends.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Also {
    pub(crate) when: When,
    pub(crate) patch: Value,
}

/// Conditions on an object; all must hold. Paths are those of [`crate::machinery::notation::value`], here or, after an `@`, in what is around
/// the object ([`super::scene`]).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct When {
    pub(crate) has: Vec<String>,
    pub(crate) lacks: Vec<String>,
    /// A path has this value, or one of these.
    pub(crate) is: Map<String, Value>,
    /// A path has not this value, nor one of these; a path that leads nowhere has none.
    pub(crate) not: Map<String, Value>,
    /// Two paths lead to different values.
    pub(crate) differ: Vec<(String, String)>,
    /// The number that the first path leads to is at most that of the second.
    pub(crate) at_most: Vec<(String, String)>,
    /// The value of the annotation that makes an object fail; `none` is its absence.
    pub(crate) fail: Vec<String>,
    /// Values of that annotation for which this is not.
    pub(crate) except: Vec<String>,
}

/// An event about the object.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventTemplate {
    pub(crate) reason: String,
    pub(crate) message: String,
    #[serde(default = "normal", rename = "type")]
    pub(crate) kind: String,
    /// Who reports.
    pub(crate) from: String,
    /// In the new style: eventTime and this action, no count.
    #[serde(default)]
    pub(crate) action: Option<String>,
    /// About the containers at hand, one each.
    #[serde(default)]
    pub(crate) container: bool,
}

fn yes() -> bool {
    true
}

fn normal() -> String {
    "Normal".to_owned()
}

/// A named action, with its parameters.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Step {
    /// Creates an object, owned by this one unless `free`; it may be there already.
    Create {
        table: String,
        object: Value,
        #[serde(default)]
        free: bool,
    },
    /// Deletes the objects of a table that this one owns.
    DeleteChildren { table: String },
    /// Removes this object for good, unless finalizers hold it.
    Finish {},
    /// Puts the containers at hand into a state; the rest of a Pod's status follows from its containers.
    Containers {
        /// As it is, if it isn't said.
        #[serde(default)]
        state: Value,
        #[serde(default)]
        last: Value,
        /// Counts a restart.
        #[serde(default)]
        restarts: bool,
        /// Of a running container.
        #[serde(default = "yes")]
        ready: bool,
        #[serde(default = "yes")]
        started: bool,
        /// Whatever else is to stand in the Pod's status.
        #[serde(default)]
        status: Value,
    },
    /// Runs the containers that were added to debug a Pod.
    KeepDebuggers {},
    /// Takes one finalizer away.
    DropFinalizer { name: String },
    /// Keeps as many Pods of the template as a number says.
    KeepPods {
        template: String,
        /// A path to the number.
        count: String,
    },
    /// Keeps Pods with numbers and claims of their own, in order.
    StatefulSet {},
    /// Keeps a Pod on every node.
    DaemonSet {},
    /// Runs Pods until enough of them have succeeded.
    Job {},
    /// Creates Jobs by a schedule, and keeps a history of them.
    CronJob {},
    /// Writes counts of owned Pods: status field to what is counted.
    CountPods { fields: Map<String, Value> },
    /// Brings the Pods of ReplicaSets from one template to the next.
    Deployment {},
    /// Writes what a namespace uses of what a quota limits.
    Quota {},
    /// Keeps the addresses of the Pods that a Service selects.
    KeepEndpoints {},
    /// Makes the volume that a claim names refer to the claim.
    ClaimVolume {},
    /// Says that a node is alive.
    RenewLease {},
    /// Deletes what a namespace holds and says what is left.
    Namespace {},
    /// Deletes the objects of the kind that a definition brings, and lets it go after the last.
    Definition {},
}

const FILES: [(&str, &str); 5] = [
    ("pods", include_str!("stages/pods.yaml")),
    ("workloads", include_str!("stages/workloads.yaml")),
    ("cluster", include_str!("stages/cluster.yaml")),
    ("instances", include_str!("stages/instances.yaml")),
    ("virtual-machines", include_str!("stages/virtual-machines.yaml")),
];

/// All groups.
pub(crate) fn groups() -> Result<Vec<Group>, Error> {
    let mut all = Vec::new();
    for (name, text) in FILES {
        all.extend(parse::<Vec<Group>>(name, text)?);
    }
    Ok(all)
}

pub(crate) fn parse<T: for<'d> Deserialize<'d>>(name: &str, text: &str) -> Result<T, Error> {
    let wrong = |e: &dyn std::fmt::Display| Error::Stages(format!("{name}.yaml: {e}"));
    let value: Value = serde_saphyr::from_str(text).map_err(|e| wrong(&e))?;
    serde_json::from_value(value).map_err(|e| wrong(&e))
}
