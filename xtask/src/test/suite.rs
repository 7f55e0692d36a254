//! Running test binaries, again and again with other databases and another Kubernetes.

use super::{
    build::{Built, TestBinary},
    libtest,
};
use crate::{
    checkout::{self, clean},
    job::{Interrupt, Job},
    plan::Counts,
};
use anyhow::{Context, Result, anyhow};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// One binary's most time. None takes a third of it on two busy cores.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// Lines shown of a failed binary; its log holds all.
const SHOWN: usize = 300;

/// Names a database: for the store's tests an empty one, for the API's a server on which they make their own.
pub(crate) const DATABASE: &str = "KUBEKCLOUD_TEST_DATABASE_URL";

/// Packages whose integration tests take minutes, and are run on a real Kubernetes anyway.
const NOT_QUICK: &[&str] = &["reconcile"];
/// Packages whose integration tests are run on each database.
const NEED_DATABASE: &[&str] = &["store", "kubekcloud"];
/// Packages whose integration tests are run again on a real Kubernetes.
const ON_KUBERNETES: &[&str] = &["reconcile", "kubekcloud"];
const CONFORMANCE: &str = "conformance";
/// Those of the sandbox's tests that hold a real server against what they hold the sandbox against.
const COMPARING: &[&str] = &[CONFORMANCE, "kubectl", "kube_rs"];

/// A process that a test of the sandbox starts by name. It is marked as ignored, and is no skip either.
const PROCESS: &str = "restart::child";

/// Tests of what the sandbox does not have: left out where they would only say so.
const REAL_ONLY: &str = "rbac::";
/// Tests of what a real control plane without kubelets does not have.
const SANDBOX_ONLY: &str = "simulated::";

/// Tests of what only a node that runs containers has, by package and target, and their part of it.
const ON_NODE: &[(&str, &str, &str)] =
    &[("kubekcloud", "it", NODE_ONLY), ("sandbox", CONFORMANCE, CONFORMANCE_ON_NODE), ("sandbox", "kubectl", TOUR_ON_NODE)];
/// Left out everywhere else.
const NODE_ONLY: &str = "real_node::";
/// The sandbox is held against these too, the other real API server cannot be.
const CONFORMANCE_ON_NODE: &str = "cases::node_";
const TOUR_ON_NODE: &str = "containers::";

/// Integration tests that do little but wait, one thing after the other, by package and target, and their part of it: they
/// run beside the rest.
const PATIENT: &[(&str, &str, &str)] = &[("reconcile", "crash", ""), ("kubekcloud", "it", "crash::")];

/// Tests wait for servers and Kubernetes more than they compute: so many at once for each core.
const THREADS_A_CORE: usize = 4;

/// Which binaries.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Choice {
    /// Unit tests, and those of the API on SQLite and the sandbox.
    Quick,
    /// What touches a database.
    Database,
    /// What touches Kubernetes.
    Kubernetes,
    /// What needs containers that run.
    Node,
}

impl Choice {
    fn takes(self, binary: &TestBinary) -> bool {
        let among = |packages: &[&str]| packages.contains(&binary.package.as_str());
        match self {
            Self::Quick => !binary.integration || !among(NOT_QUICK),
            Self::Database => binary.integration && among(NEED_DATABASE),
            Self::Kubernetes => binary.integration && (among(ON_KUBERNETES) || COMPARING.contains(&binary.target.as_str())),
            Self::Node => binary.integration && part_on_node(binary).is_some(),
        }
    }
}

/// Which of the binary's tests are for a real node.
fn part_on_node(binary: &TestBinary) -> Option<&'static str> {
    ON_NODE.iter().find(|(package, target, _)| *package == binary.package && *target == binary.target).map(|(_, _, part)| *part)
}

/// A binary, or a part of it.
#[derive(Clone, Copy)]
struct Part<'b> {
    binary: &'b TestBinary,
    only: Option<&'static str>,
    without: Option<&'static str>,
}

impl Part<'_> {
    fn name(&self) -> String {
        let TestBinary { package, target, integration, .. } = self.binary;
        let name = if *integration { format!("{package}/{target}") } else { package.clone() };
        self.only.map_or(name.clone(), |only| format!("{name} {}", only.trim_end_matches(':')))
    }
}

/// A run over some of the binaries.
pub(crate) struct Suite<'a> {
    pub(crate) built: &'a Built,
    /// Names the logs.
    pub(crate) name: &'a str,
    pub(crate) choice: Choice,
    /// What this run tells the tests, by package: `""` for all.
    pub(crate) env: Vec<(&'a str, &'static str, String)>,
}

impl Suite<'_> {
    pub(crate) fn run(&self, interrupt: &Interrupt) -> Result<Counts> {
        let (mut patient, mut others) = (Vec::new(), Vec::new());
        for binary in self.built.binaries.iter().filter(|binary| self.choice.takes(binary)) {
            let whole = Part { binary, only: None, without: None };
            match self.patient_part(binary) {
                None => others.push(whole),
                Some("") => patient.push(whole),
                Some(part) => {
                    patient.push(Part { only: Some(part), ..whole });
                    others.push(Part { without: Some(part), ..whole });
                }
            }
        }
        thread::scope(|scope| {
            let beside = scope.spawn(|| self.run_all(&patient, interrupt));
            let mut totals = self.run_all(&others, interrupt)?;
            totals += beside.join().map_err(|_| anyhow!("the thread that ran {PATIENT:?} panicked"))??;
            Ok(totals)
        })
    }

    /// The part that runs beside the rest. A real Kubernetes is not asked for more at once than one whole binary does.
    fn patient_part(&self, binary: &TestBinary) -> Option<&'static str> {
        let (_, _, part) =
            PATIENT.iter().find(|(package, target, _)| binary.integration && *package == binary.package && *target == binary.target)?;
        (part.is_empty() || matches!(self.choice, Choice::Quick | Choice::Database)).then_some(*part)
    }

    fn run_all(&self, parts: &[Part<'_>], interrupt: &Interrupt) -> Result<Counts> {
        let mut totals = Counts::default();
        for part in parts {
            totals += self.run_one(*part, interrupt)?;
        }
        Ok(totals)
    }

    fn run_one(&self, part: Part<'_>, interrupt: &Interrupt) -> Result<Counts> {
        let name = part.name();
        let log = log_file(&format!("{}-{}", self.name, name.replace(['/', ' '], "-")))?;
        let out = File::create(&log).with_context(|| format!("create {}", log.display()))?;
        let mut command = self.command(part);
        command.stdout(out.try_clone()?).stderr(out);
        let started = Instant::now();
        let ended = Job::start(&name, &mut command)?.wait(LIMIT, interrupt);
        interrupt.check()?;
        let output = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        let mut counts = libtest::counts(&output).unwrap_or_default();
        let trouble = match ended {
            Ok(status) if status.success() => None,
            Ok(status) => Some(format!("{name} ended with {status}")),
            Err(error) => Some(format!("{error:#}")),
        };
        if trouble.is_some() && counts.failed == 0 {
            counts.failed = 1;
        }
        if counts != Counts::default() {
            println!("      {name}: {counts} ({:.1} s)", started.elapsed().as_secs_f64());
        }
        for line in libtest::skips(&output) {
            println!("        {line}");
        }
        if let Some(trouble) = trouble {
            println!("{}\n{trouble}; all of it: {}", libtest::failures(&output, SHOWN), log.display());
        }
        Ok(counts)
    }

    fn command(&self, Part { binary, only, without }: Part<'_>) -> Command {
        let mut command = Command::new(&binary.path);
        // What passed is shown too, else a test could skip itself unheard.
        command.args(["--show-output", "--skip", PROCESS]).current_dir(&binary.dir).env("CARGO_MANIFEST_DIR", &binary.dir);
        if !matches!(self.choice, Choice::Kubernetes) {
            command.args(["--skip", REAL_ONLY]);
        }
        match self.choice {
            Choice::Node => command.args(part_on_node(binary)),
            Choice::Kubernetes => command.args(["--skip", NODE_ONLY, "--skip", CONFORMANCE_ON_NODE, "--skip", TOUR_ON_NODE, "--skip", SANDBOX_ONLY]),
            Choice::Quick | Choice::Database => command.args(["--skip", NODE_ONLY]),
        };
        command.args(only);
        if let Some(without) = without {
            command.args(["--skip", without]);
        }
        if binary.integration {
            let cores = thread::available_parallelism().map_or(1, usize::from);
            command.env("RUST_TEST_THREADS", (cores * THREADS_A_CORE).to_string());
        }
        // Snapshots are compared here, never written.
        command.env("RUST_BACKTRACE", "0").env("INSTA_UPDATE", "no").env("INSTA_WORKSPACE_ROOT", checkout::root());
        clean(&mut command);
        for (package, name, value) in &self.env {
            if package.is_empty() || *package == binary.package {
                command.env(name, value);
            }
        }
        command
    }
}

/// Where a stage's output is kept until its next run.
pub(crate) fn log_file(name: &str) -> Result<PathBuf> {
    let dir = checkout::target_dir().join("xtask-logs");
    fs::create_dir_all(&dir).with_context(|| format!("create {}", dir.display()))?;
    Ok(dir.join(Path::new(name).with_extension("log")))
}
