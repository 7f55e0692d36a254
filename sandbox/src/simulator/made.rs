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

/// A loopback address of its own for each Pod: by its uid, another where two would meet.
pub(super) fn pod_ip(scene: &Scene<'_>) -> Value {
    if let Some(ip) = scene.look("status.podIP") {
        return ip;
    }
    let hash = scene.uid().bytes().fold(0xcbf2_9ce4_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
    let mut number = hash & 0xffff;
    for _ in 0..0x1_0000 {
        let ip = format!("127.96.{}.{}", number >> 8, number & 0xff);
        let usable = (1..=254).contains(&(number & 0xff));
        if usable && scene.cluster.take_address(&ip, scene.uid()) {
            return json!(ip);
        }
        number = (number + 1) & 0xffff;
    }
    Value::Null
}
