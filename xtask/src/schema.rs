//! `cargo xtask schema`: writes sandbox/schema/types.txt, what the sandbox knows of the built-in kinds' fields.
//!
//! `sandbox/schema/main.go` makes it from the published API types and from the OpenAPI documents of a real API server,
//! which is started for this. To be run when the pinned Kubernetes changes, in `sandbox/schema/go.mod` too.

use crate::{checkout, job::output, kube::Throwaway};
use anyhow::{Context, Result};
use serde_json::Value;
use std::{fs, path::Path, process::Command};

const DIR: &str = "sandbox/schema";
const FILE: &str = "types.txt";

pub(crate) fn run() -> Result<()> {
    let documents = tempfile::tempdir().context("make a temporary directory")?;
    let cluster = Throwaway::up(false)?;
    let ask = |path: &str| {
        let mut kubectl = Command::new(&cluster.running.kubectl);
        kubectl.arg("--kubeconfig").arg(&cluster.running.kubeconfig).args(["get", "--raw", path]);
        Ok::<_, anyhow::Error>(output(&mut kubectl)?.stdout)
    };
    let index: Value = serde_json::from_slice(&ask("/openapi/v3")?).context("understand the list of OpenAPI documents")?;
    let paths = index["paths"].as_object().context("the list of OpenAPI documents has no paths")?;
    for path in paths.keys().filter(|path| path.starts_with("api")) {
        fs::write(documents.path().join(path.replace('/', "_")).with_added_extension("json"), ask(&format!("/openapi/v3/{path}"))?)?;
    }
    cluster.down()?;
    write(documents.path())
}

fn write(documents: &Path) -> Result<()> {
    let dir = checkout::root().join(DIR);
    let mut go = Command::new("go");
    let types = output(go.args(["run", "."]).arg(documents).current_dir(&dir).env("GOWORK", "off"))?.stdout;
    fs::write(dir.join(FILE), types).with_context(|| format!("write {FILE}"))?;
    println!("{DIR}/{FILE}");
    Ok(())
}
