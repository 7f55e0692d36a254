//! What the agent says of itself, and the time.

use k8s_openapi::jiff;

/// The time as Kubernetes writes it: whole seconds, UTC.
pub(super) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub(super) fn log(line: impl std::fmt::Display) {
    println!("{} {line}", jiff::Timestamp::now().strftime("%H:%M:%S%.3f"));
}
