//! `cargo xtask bench sandbox`: the embedded Kubernetes alone. Start, memory, long lists, many watches.

use super::{
    machine,
    release::{BUILD_LIMIT, data_dir},
    report::{Row, Section, Target, median},
};
use crate::{
    checkout::{self, clean},
    job::{Interrupt, Job, output},
};
use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use serde_json::Value;
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

const STARTS: usize = 5;
const START_LIMIT: Duration = Duration::from_secs(60);

pub(super) fn run(interrupt: &Interrupt) -> Result<Section> {
    let (machine, load) = (machine::describe()?, machine::load()?);
    println!("load average {load:.2}");
    let examples = examples(interrupt)?;
    let (server, client) = (examples.join("sandbox"), examples.join("load"));
    let home = data_dir()?;

    let mut starts = Vec::new();
    for n in 0..STARTS {
        starts.push(Sandbox::start(&server, &home.path().join(format!("empty-{n}")))?.milliseconds);
    }
    let data = home.path().join("data");
    let sandbox = Sandbox::start(&server, &data)?;
    let filled = ask(&client, &sandbox, "fill")?;
    let filled_mib = machine::resident(sandbox.job.id())?;
    interrupt.check()?;
    let listed = ask(&client, &sandbox, "list")?;
    let listed_mib = machine::resident(sandbox.job.id())?;
    interrupt.check()?;
    let watched = ask(&client, &sandbox, "watch")?;
    let watched_mib = machine::resident(sandbox.job.id())?;
    drop(sandbox);
    let again = Sandbox::start(&server, &data)?;
    let again_mib = machine::resident(again.job.id())?;

    let figure = |said: &Value, name: &str| said[name].as_f64().with_context(|| format!("the load says no {name:?}: {said}"));
    let row = |what: &str, figure: f64, unit: &'static str, target: Target| Row::alone(what, figure, unit, target);
    let bytes = figure(&listed, "bytes")? / 1e6;
    let rows = vec![
        row("start, empty", median(starts), "ms", Target::AtMost(100.0)),
        row("start with 10,000 Pods on disk", again.milliseconds, "ms", Target::None),
        row("10,000 Pods created", 10_000.0 / figure(&filled, "created")?, "a second", Target::None),
        row("10,000 Pods running, from the first create", figure(&filled, "running")?, "s", Target::None),
        row("memory with 10,000 running Pods", filled_mib, "MiB", Target::AtMost(100.0)),
        row("memory after lists of all", listed_mib, "MiB", Target::AtMost(100.0)),
        row("memory after a restart", again_mib, "MiB", Target::AtMost(100.0)),
        row(&format!("list of 10,000 Pods ({bytes:.0} MB), until its last byte"), figure(&listed, "median")? * 1e3, "ms", Target::AtMost(100.0)),
        row("1,000 changes, 100 a second, with 1,000 watches", figure(&watched, "changing")?, "s", Target::AtMost(10.5)),
        row("the slowest watch has the last change after", figure(&watched, "behind")? * 1e3, "ms", Target::AtMost(1_000.0)),
        row("memory after 1,000 watches", watched_mib, "MiB", Target::None),
    ];
    let notes = vec![
        "The release build of `sandbox/examples/sandbox.rs` with a data directory; the client is `load.rs` beside it, over TLS, on the same cores."
            .into(),
        format!("Start: from starting the process until it listens; the middle of {STARTS}. List: the middle of five, uncompressed JSON."),
        "Watches: one connection each, of the ConfigMaps of a namespace in which one is patched.".into(),
    ];
    Ok(Section { title: "Sandbox", machine, load, rows, notes })
}

/// The directory of the release build's examples.
fn examples(interrupt: &Interrupt) -> Result<PathBuf> {
    let mut cargo = checkout::cargo();
    cargo.args(["build", "--release", "--package", "sandbox", "--examples"]);
    let status = Job::start("cargo build", &mut cargo)?.wait(BUILD_LIMIT, interrupt)?;
    if !status.success() {
        bail!("the release build failed ({status})");
    }
    Ok(checkout::target_dir().join("release").join("examples"))
}

/// A sandbox that listens; it ends with this value.
struct Sandbox {
    job: Job,
    kubeconfig: PathBuf,
    milliseconds: f64,
}

impl Sandbox {
    fn start(binary: &Path, data: &Path) -> Result<Self> {
        fs::create_dir_all(data)?;
        let log = data.with_extension("log");
        let mut command = Command::new(binary);
        clean(&mut command);
        let out = File::create(&log)?;
        command.arg(data).stdout(out.try_clone()?).stderr(out);
        let started = Instant::now();
        let mut job = Job::start("the sandbox", &mut command)?.stopped_by(Signal::INT);
        while !fs::read_to_string(&log)?.ends_with("kubeconfig\n") {
            if job.ended()?.is_some() || started.elapsed() > START_LIMIT {
                bail!("the sandbox does not start:\n{}", fs::read_to_string(&log)?);
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(Self { job, kubeconfig: data.join("kubeconfig"), milliseconds: started.elapsed().as_secs_f64() * 1e3 })
    }
}

/// Has the client do something, and takes what it says of it.
fn ask(client: &Path, sandbox: &Sandbox, what: &str) -> Result<Value> {
    let mut command = Command::new(client);
    clean(&mut command);
    let said = output(command.arg(&sandbox.kubeconfig).arg(what))?.stdout;
    let said = serde_json::from_slice(&said).with_context(|| format!("understand what {what:?} says"))?;
    println!("{what}: {said}");
    Ok(said)
}
