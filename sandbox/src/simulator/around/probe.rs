//! What a kubelet says of a probe that fails: by the kind of the probe, or as of an HTTP probe where none is declared.

use serde_json::{Value, json};

use crate::machinery::notation::value::{at, plain, text};
use crate::simulator::scene::Scene;

/// The message for a `readiness`, `liveness` or `startup` probe of the first container at hand.
pub(in crate::simulator) fn failure(scene: &Scene<'_>, which: &str) -> Option<Value> {
    let container = scene.containers().first()?;
    let probe = at(container, &format!("spec.{which}Probe"));
    let ip = text(&scene.object, "status.podIP");
    let refused = |port: &Value| format!("dial tcp {ip}:{}: connect: connection refused", plain(port));
    let message = match probe {
        Some(probe) if probe.get("tcpSocket").is_some() => refused(&probe["tcpSocket"]["port"]),
        Some(probe) if probe.get("exec").is_some() => String::new(),
        _ => "HTTP probe failed with statuscode: 503".to_owned(),
    };
    Some(json!(message))
}
