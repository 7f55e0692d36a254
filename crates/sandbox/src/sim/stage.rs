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
    /// The field manager that the real thing would write as.
    #[serde(default = "anybody", rename = "as")]
    pub(crate) writer: String,
    /// Merged into the object, strategically.
    #[serde(default)]
    pub(crate) patch: Option<Value>,
    /// Written when the patch changed something.
    #[serde(default)]
    pub(crate) events: Vec<EventTemplate>,
    /// Done after the patch, whether or not it changed something.
    #[serde(default, rename = "do")]
    pub(crate) steps: Vec<Step>,
}

fn anybody() -> String {
    "sandbox".to_owned()
}

/// Conditions on an object; all must hold. Paths are those of [`crate::value`]; `@TABLE/path` looks at the first object
/// of that table that the object owns, `@owner/path` at the object's controller.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct When {
    pub(crate) has: Vec<String>,
    pub(crate) lacks: Vec<String>,
    /// A path has this value, or one of these.
    pub(crate) is: Map<String, Value>,
    /// A path has not this value, nor one of these; a path that leads nowhere has none.
    pub(crate) not: Map<String, Value>,
    /// The value of the annotation that makes an object fail; `none` is its absence.
    pub(crate) fail: Vec<String>,
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
    /// About the first container.
    #[serde(default)]
    pub(crate) container: bool,
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
    /// Takes one finalizer away.
    DropFinalizer { name: String },
    /// Keeps as many Pods of the template as a number says: named at random, by number, or one per node.
    KeepPods {
        template: String,
        /// A path to the number; ignored for `nodes`.
        #[serde(default)]
        count: String,
        names: Naming,
    },
    /// Writes counts of owned Pods: status field to what is counted.
    CountPods { fields: Map<String, Value> },
    /// Keeps one ReplicaSet for the present template and empties the others.
    Roll {},
    /// Deletes what a namespace holds and says what is left.
    Sweep {},
}

/// How Pods that are made are named.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Naming {
    Random,
    Ordinal,
    Nodes,
}

const FILES: [(&str, &str); 4] = [
    ("pods", include_str!("stages/pods.yaml")),
    ("workloads", include_str!("stages/workloads.yaml")),
    ("cluster", include_str!("stages/cluster.yaml")),
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
