//! Tours of a Kubernetes API with other people's clients: Python's official one, kopf, and JavaScript's official one.
//!
//! The same tours run on the sandbox and on the real API server, so that neither they nor the sandbox can be wrong
//! about what a client needs.

use super::suite::log_file;
use crate::{
    checkout::{self, clean},
    javascript,
    job::{Interrupt, Job},
    plan::{Counts, Outcome},
    product::Product,
    python,
};
use anyhow::{Context, Result, bail};
use std::{
    fs::{self, File},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

const REQUIREMENTS: &str = include_str!("../../../sandbox/tests/clients/python/requirements.txt");
const PACKAGE: &str = include_str!("../../../sandbox/tests/clients/node/package.json");
const LOCK: &str = include_str!("../../../sandbox/tests/clients/node/package-lock.json");
const NODE_TOUR: &str = "tour.test.js";

const LIMIT: Duration = Duration::from_secs(5 * 60);

/// Tells the tours whether somebody answers for containers.
const CONTAINERS: &str = "TOUR_CONTAINERS";

/// What the tours need; made if missing.
struct Tours {
    python: PathBuf,
    node_modules: PathBuf,
}

/// The tours on the sandbox of a `dev` server.
pub(crate) fn on_sandbox(kubekcloud: &Path, interrupt: &Interrupt) -> Result<Outcome> {
    let tours = match Tours::ready()? {
        Ok(tours) => tours,
        Err(how) => return Ok(Outcome::Missing(how)),
    };
    let dir = tempfile::tempdir().context("make a temporary directory")?;
    let mut product = Product::dev(kubekcloud, dir.path())?;
    let kubeconfig = product.kubeconfig.clone().context("`dev` names no kubeconfig")?;
    let counts = tours.run("sandbox", &kubeconfig, true, interrupt)?;
    product.check_alive()?;
    Ok(Outcome::Ran(counts))
}

/// The same on a real API server, whose Pods run nothing. Where a client cannot be had, [`on_sandbox`] says so.
pub(crate) fn on_kubernetes(kubeconfig: &Path, interrupt: &Interrupt) -> Result<Counts> {
    match Tours::ready()? {
        Ok(tours) => tours.run("kubernetes", kubeconfig, false, interrupt),
        Err(_) => Ok(Counts::default()),
    }
}

impl Tours {
    fn ready() -> Result<Result<Self, String>> {
        let python = match python::environment("clients", REQUIREMENTS)? {
            Ok(bin) => bin.join("python"),
            Err(how) => return Ok(Err(how)),
        };
        Ok(javascript::modules("clients", PACKAGE, LOCK)?.map(|node_modules| Self { python, node_modules }))
    }

    fn run(&self, target: &str, kubeconfig: &Path, containers: bool, interrupt: &Interrupt) -> Result<Counts> {
        let mut totals = Counts::default();
        let home = tempfile::tempdir().context("make a temporary directory")?;
        let programs =
            [("python", self.python_tour(), unittest_counts as fn(&str) -> Option<Counts>), ("node", self.node_tour(home.path())?, tap_counts)];
        for (name, mut command, counts) in programs {
            clean(&mut command);
            command.env("KUBECONFIG", kubeconfig).env(CONTAINERS, if containers { "yes" } else { "no" }).env("HOME", home.path());
            totals += finish(&format!("clients-{name}-{target}"), command, counts, interrupt)?;
        }
        Ok(totals)
    }

    fn python_tour(&self) -> Command {
        let mut command = Command::new(&self.python);
        command.args(["-W", "ignore", "-m", "unittest", "-v"]).current_dir(tours_dir().join("python")).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// Modules are looked for beside the file that imports them, so it goes to where they are linked to.
    fn node_tour(&self, dir: &Path) -> Result<Command> {
        fs::write(dir.join("package.json"), PACKAGE)?;
        fs::copy(tours_dir().join("node").join(NODE_TOUR), dir.join(NODE_TOUR))?;
        symlink(&self.node_modules, dir.join("node_modules"))?;
        let mut command = Command::new("node");
        command.args(["--test", "--test-reporter=tap", NODE_TOUR]).current_dir(dir);
        Ok(command)
    }
}

fn tours_dir() -> PathBuf {
    checkout::root().join("sandbox/tests/clients")
}

fn finish(name: &str, mut command: Command, counts: fn(&str) -> Option<Counts>, interrupt: &Interrupt) -> Result<Counts> {
    let log = log_file(name)?;
    let out = File::create(&log).with_context(|| format!("create {}", log.display()))?;
    command.stdout(out.try_clone()?).stderr(out);
    let status = Job::start(name, &mut command)?.wait(LIMIT, interrupt)?;
    let output = fs::read_to_string(&log).unwrap_or_default();
    let Some(mut counts) = counts(&output) else { bail!("{name} ended with {status}, and without a summary:\n{output}") };
    if !status.success() {
        counts.failed = counts.failed.max(1);
        println!("{output}\n{name} ended with {status}; all of it: {}", log.display());
    }
    println!("      {name}: {counts}");
    // What containers would answer is skipped where nothing runs, and that is no lack of this machine.
    Ok(Counts { skipped: 0, ..counts })
}

/// The summary of Python's unittest: `Ran 5 tests in 1.2s`, then `OK (skipped=1)` or `FAILED (failures=1, errors=2)`.
fn unittest_counts(output: &str) -> Option<Counts> {
    let (_, rest) = output.rsplit_once("\nRan ")?;
    let ran: u32 = rest.split_once(' ')?.0.parse().ok()?;
    let number = |word: &str| -> u32 {
        let digits = rest.split_once(&format!("{word}=")).map_or("", |(_, rest)| rest);
        digits.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0)
    };
    let (failed, skipped) = (number("failures") + number("errors"), number("skipped"));
    Some(Counts { passed: ran.checked_sub(failed + skipped)?, failed, skipped })
}

/// The summary of Node's TAP reporter: `# pass 8`, `# fail 0`, `# cancelled 0`, `# skipped 1`.
fn tap_counts(output: &str) -> Option<Counts> {
    let number = |word: &str| -> Option<u32> {
        let prefix = format!("# {word} ");
        output.lines().rev().find_map(|line| line.strip_prefix(&prefix)).and_then(|number| number.parse().ok())
    };
    Some(Counts { passed: number("pass")?, failed: number("fail")? + number("cancelled")?, skipped: number("skipped")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_are_understood() {
        let counts = |passed, failed, skipped| Some(Counts { passed, failed, skipped });
        assert_eq!(unittest_counts("a ... ok\n\n---\nRan 15 tests in 2.2s\n\nOK\n"), counts(15, 0, 0));
        assert_eq!(unittest_counts("...\nRan 5 tests in 1s\n\nFAILED (failures=1, errors=2, skipped=1)"), counts(1, 3, 1));
        assert_eq!(unittest_counts("ImportError"), None);
        assert_eq!(tap_counts("ok 1\n# tests 9\n# pass 7\n# fail 1\n# cancelled 0\n# skipped 1\n"), counts(7, 1, 1));
        assert_eq!(tap_counts("SyntaxError"), None);
    }
}
