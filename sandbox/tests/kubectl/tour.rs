//! A kubectl, a cluster and a namespace for one test.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use sandbox::{Options, Sandbox};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;
use tokio::runtime::Runtime;

use super::skip::skip;

/// Longer than any command or condition takes, even on a busy machine.
const DEADLINE: Duration = Duration::from_secs(240);
/// Name a kubeconfig of a real cluster, and of one whose node runs containers.
const CLUSTER: &str = "KUBEKCLOUD_TEST_KUBECONFIG";
const NODE_CLUSTER: &str = "KUBEKCLOUD_TEST_NODE_KUBECONFIG";
/// How the sandbox's warning begins, on standard error.
const WARNING: &str = "Warning: this is the KubeKCloud sandbox";

/// Before YAML in braces, which an older kubectl takes for JSON.
const YAML: &str = "# YAML\n";

pub(crate) struct Tour {
    runtime: Runtime,
    kubectl: PathBuf,
    dir: TempDir,
    namespace: String,
    sandbox: Option<Sandbox>,
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    /// Without the sandbox's warning.
    pub(crate) stderr: String,
}

impl Tour {
    /// A cluster with an empty namespace that every command uses; `None` without a kubectl.
    pub(crate) fn begin(theme: &str) -> Option<Self> {
        Self::on(std::env::var_os(CLUSTER), theme)
    }

    /// The same, where containers run or are simulated.
    pub(crate) fn containers(theme: &str) -> Option<Self> {
        let cluster = std::env::var_os(NODE_CLUSTER);
        if cluster.is_none() && std::env::var_os(CLUSTER).is_some() {
            skip(&format!("{theme}: no containers run in {CLUSTER}; name a cluster where they do in {NODE_CLUSTER}"));
            return None;
        }
        Self::on(cluster, theme)
    }

    fn on(cluster: Option<OsString>, theme: &str) -> Option<Self> {
        let Some(kubectl) = std::env::var_os("KUBECTL_PATH") else {
            skip(&format!("{theme}: KUBECTL_PATH is not set"));
            return None;
        };
        let runtime = Runtime::new().expect("a runtime");
        let dir = tempfile::tempdir().expect("a directory");
        let mut sandbox = None;
        let kubeconfig = match cluster {
            Some(path) => std::fs::read_to_string(path).expect("the named kubeconfig"),
            None => {
                let started = runtime.block_on(Sandbox::start(Options::default())).expect("the sandbox starts");
                sandbox.insert(started).kubeconfig().to_owned()
            }
        };
        std::fs::write(dir.path().join("kubeconfig"), kubeconfig).expect("a kubeconfig");
        let namespace = format!("tour-{theme}-{:x}", std::process::id());
        let tour = Self { runtime, kubectl: kubectl.into(), dir, namespace, sandbox };
        tour.ok(&format!("create namespace {}", tour.namespace));
        tour.ok(&format!("config set-context --current --namespace={}", tour.namespace));
        // The real server's controllers need a moment before it takes Pods.
        tour.until("get serviceaccount default -o name --ignore-not-found", |name| !name.is_empty());
        Some(tour)
    }

    /// The same, for what a real control plane without kubelets doesn't show: `cargo xtask test` leaves these out there.
    pub(crate) fn simulated(theme: &str) -> Option<Self> {
        if std::env::var_os(CLUSTER).is_some() {
            skip(&format!("{theme}: it is about the simulator"));
            return None;
        }
        Self::begin(theme)
    }

    /// Whether this is a real API server.
    pub(crate) fn real(&self) -> bool {
        self.sandbox.is_none()
    }

    /// Whether kubectl is of this minor version or newer.
    pub(crate) fn kubectl_has(&self, minor: u32) -> bool {
        let version = self.ok("version --client");
        let own = version.split("v1.").nth(1).and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
        own.expect("a version") >= minor
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file, and gives its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    }

    /// What a command that must succeed prints.
    pub(crate) fn ok(&self, line: &str) -> String {
        self.ok_with(line, "")
    }

    pub(crate) fn ok_with(&self, line: &str, input: &str) -> String {
        let said = self.run(line, input, &[]);
        assert!(said.code == 0, "kubectl {line}: {said:#?}");
        said.stdout
    }

    /// What a command that must fail (exit code 1) says on standard error.
    pub(crate) fn fails(&self, line: &str) -> String {
        self.fails_with(line, "")
    }

    pub(crate) fn fails_with(&self, line: &str, input: &str) -> String {
        let said = self.run(line, input, &[]);
        assert!(said.code == 1, "kubectl {line}: {said:#?}");
        said.stderr
    }

    /// Runs one command; words may be quoted with `'`.
    pub(crate) fn run(&self, line: &str, input: &str, env: &[(&str, &str)]) -> Said {
        self.run_with(line, format!("{YAML}{input}").as_bytes(), env)
    }

    /// Runs one command with exactly this input.
    pub(crate) fn feed(&self, line: &str, input: &[u8]) -> Said {
        self.run_with(line, input, &[])
    }

    fn run_with(&self, line: &str, input: &[u8], env: &[(&str, &str)]) -> Said {
        let mut command = self.command(line, env);
        let output = self.runtime.block_on(async {
            let mut child = command.spawn().expect("kubectl starts");
            let mut stdin = child.stdin.take().expect("a pipe");
            // A command that doesn't read has closed its end by now, perhaps.
            let _ = stdin.write_all(input).await;
            drop(stdin);
            tokio::time::timeout(DEADLINE, child.wait_with_output()).await
        });
        let output = output.unwrap_or_else(|_| panic!("kubectl {line}: no end in {DEADLINE:?}")).expect("an end");
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let (warnings, others): (Vec<&str>, Vec<&str>) = told.lines().partition(|l| l.starts_with(WARNING));
        let most = usize::from(!self.real());
        assert!(warnings.len() <= most && !stdout.contains(WARNING), "the sandbox says once, on standard error, what it is: kubectl {line}: {told}");
        Said { code: output.status.code().unwrap_or(-1), stdout, stderr: others.join("\n") }
    }

    /// Does something while a command runs that doesn't end by itself, with what follows `ready` in its first line.
    pub(crate) fn beside<T>(&self, line: &str, ready: &str, act: impl FnOnce(&str) -> T) -> T {
        let mut command = self.command(line, &[]);
        let first = async {
            let mut child = command.stdin(Stdio::null()).spawn().expect("kubectl starts");
            let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
            let line = tokio::time::timeout(DEADLINE, lines.next_line()).await.expect("a line in time").expect("read").unwrap_or_default();
            (child, lines, line)
        };
        let (_child, _lines, first) = self.runtime.block_on(first);
        act(first.strip_prefix(ready).unwrap_or_else(|| panic!("kubectl {line}: {first}")))
    }

    fn command(&self, line: &str, env: &[(&str, &str)]) -> Command {
        let mut command = Command::new(&self.kubectl);
        command.args(words(line)).env_clear().env("HOME", self.dir()).env("PATH", "/usr/bin:/bin").env("KUBECONFIG", self.dir().join("kubeconfig"));
        command.envs(env.iter().copied()).current_dir(self.dir()).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Repeats a command until its output satisfies.
    pub(crate) fn until(&self, line: &str, enough: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + DEADLINE;
        loop {
            let said = self.run(line, "", &[]);
            if said.code == 0 && enough(&said.stdout) {
                return said.stdout;
            }
            assert!(Instant::now() < end, "in time: kubectl {line}: {said:#?}");
        }
    }
}

impl Drop for Tour {
    fn drop(&mut self) {
        if self.real() && !std::thread::panicking() {
            self.run(&format!("delete namespace {} --wait=false", self.namespace), "", &[]);
        }
    }
}

fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '\'' => quoted = !quoted,
            ' ' | '\n' if !quoted => words.push(String::new()),
            other => words.last_mut().expect("a word").push(other),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// All of `parts` must stand in `text`.
#[track_caller]
pub(crate) fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
}

/// The table's lines, each as its words.
pub(crate) fn rows(table: &str) -> Vec<Vec<&str>> {
    table.lines().map(|line| line.split_whitespace().collect()).collect()
}
