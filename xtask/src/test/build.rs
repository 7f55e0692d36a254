//! One build of every test, and of the binary that they start.

use crate::{
    checkout,
    job::{Interrupt, Job},
};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

/// Cold on two cores it takes about six minutes.
const LIMIT: Duration = Duration::from_secs(40 * 60);

/// What was built.
pub(crate) struct Built {
    pub(crate) binaries: Vec<TestBinary>,
    /// `kubekcloud` with failpoints: what the tests start, and good for every other use in tests.
    pub(crate) kubekcloud: PathBuf,
}

/// One test executable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TestBinary {
    /// Directory name of its package: `store`, `kubekcloud`.
    pub(crate) package: String,
    /// Target name: of a library or binary the unit tests, else the file in `tests/`.
    pub(crate) target: String,
    /// Whether it lies in `tests/`.
    pub(crate) integration: bool,
    pub(crate) path: PathBuf,
    /// The package's directory, where cargo would run it.
    pub(crate) dir: PathBuf,
}

#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    target: Option<Target>,
    profile: Option<Profile>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    name: String,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// Builds with cargo's own progress on standard error.
pub(crate) fn build(interrupt: &Interrupt) -> Result<Built> {
    let messages = tempfile::NamedTempFile::new().context("make a temporary file")?;
    let mut cargo = checkout::cargo();
    cargo
        .args(["test", "--workspace", "--features", "kubekcloud/failpoints", "--no-run", "--message-format=json-render-diagnostics"])
        .stdout(Stdio::from(messages.reopen()?));
    let status = Job::start("cargo test --no-run", &mut cargo)?.wait(LIMIT, interrupt)?;
    if !status.success() {
        bail!("the tests do not build (cargo ended with {status})");
    }
    read(BufReader::new(File::open(messages.path())?))
}

fn read(messages: impl BufRead) -> Result<Built> {
    let mut binaries = Vec::new();
    let mut kubekcloud = None;
    for line in messages.lines() {
        let line = line?;
        if !line.contains("\"compiler-artifact\"") {
            continue;
        }
        let message: Message = serde_json::from_str(&line).context("understand cargo's messages")?;
        let (Some(target), Some(profile), Some(path)) = (message.target, message.profile, message.executable) else { continue };
        if message.reason != "compiler-artifact" {
            continue;
        }
        if profile.test {
            let dir = message.manifest_path.parent().unwrap_or(Path::new("/")).to_owned();
            let package = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let integration = target.kind.iter().any(|kind| kind == "test");
            binaries.push(TestBinary { package, target: target.name, integration, path, dir });
        } else if target.name == "kubekcloud" {
            kubekcloud = Some(path);
        }
    }
    let kubekcloud = kubekcloud.context("no test of crates/kubekcloud lies in its tests/ directory, so cargo built no binary")?;
    binaries.sort_by(|a, b| (a.integration, &a.package, &a.target).cmp(&(b.integration, &b.package, &b.target)));
    Ok(Built { binaries, kubekcloud })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_are_found_among_cargos_messages() {
        let messages = r#"
{"reason":"compiler-artifact","manifest_path":"/w/crates/store/Cargo.toml","target":{"kind":["lib"],"name":"store"},"profile":{"test":false},"executable":null}
{"reason":"compiler-artifact","manifest_path":"/w/crates/store/Cargo.toml","target":{"kind":["test"],"name":"store"},"profile":{"test":true},"executable":"/t/store-1"}
{"reason":"compiler-artifact","manifest_path":"/w/crates/store/Cargo.toml","target":{"kind":["lib"],"name":"store"},"profile":{"test":true},"executable":"/t/lib-1"}
{"reason":"compiler-artifact","manifest_path":"/w/crates/kubekcloud/Cargo.toml","target":{"kind":["bin"],"name":"kubekcloud"},"profile":{"test":false},"executable":"/t/kubekcloud"}
{"reason":"build-finished","success":true}
"#;
        let built = read(messages.as_bytes()).unwrap();
        assert_eq!(built.kubekcloud, Path::new("/t/kubekcloud"));
        let found: Vec<_> = built.binaries.iter().map(|b| (b.package.as_str(), b.integration, b.dir.as_path())).collect();
        assert_eq!(found, [("store", false, Path::new("/w/crates/store")), ("store", true, Path::new("/w/crates/store"))]);
    }
}
