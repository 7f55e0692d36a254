//! Values that templates name: times and addresses; what KubeVirt makes up is beside its facts ([`super::around`]).

use serde_json::{Value, json};

use super::around::machine;
use super::scene::Scene;
use crate::machinery::notation::clock;

/// The one node.
pub(crate) const NODE: &str = "sandbox-node-0";
/// Its address.
pub(super) const HOST: &str = "127.0.0.1";

/// Makes the value that a template names.
pub(crate) fn make(scene: &Scene<'_>, name: &str) -> Value {
    let (name, argument) = name.split_once(':').unwrap_or((name, ""));
    match name {
        "now" => json!(clock::now()),
        "node" => json!(NODE),
        "now-micro" => json!(clock::now_micro()),
        "uuid" => json!(uuid::Uuid::new_v4().to_string()),
        other => machine::make(scene, other, argument).unwrap_or_else(|| json!(format!("$unknown:{other}"))),
    }
}
