//! Where this checkout and its by-products are, cargo as a task runs it, and an environment that steers nothing.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// The workspace's directory.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// Cargo's output directory.
pub(crate) fn target_dir() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// The cargo that runs this task, without what it told this task about xtask: some build scripts
/// run again when those variables change.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    for (name, _) in env::vars_os() {
        let told = name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "CARGO");
        if told || name == "LD_LIBRARY_PATH" {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Whether this is a CI run: what is missing is then a failure, not a skip.
pub(crate) fn in_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0")
}

/// Takes away what would steer the product or send its requests elsewhere.
pub(crate) fn clean(command: &mut Command) {
    const NAMES: &[&str] = &["DATABASE_URL", "KUBECONFIG", "KUBECTL_PATH", "RUST_LOG", "NO_PROXY", "no_proxy"];
    for (name, _) in env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        let proxy = text.to_ascii_lowercase().ends_with("_proxy");
        if proxy || NAMES.contains(&text) || text.starts_with("K8S_") || text.starts_with("KUBEKCLOUD_") || text.starts_with("KUBERNETES_") {
            command.env_remove(name);
        }
    }
}
