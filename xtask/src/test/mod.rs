//! `cargo xtask test`: every test, with what this machine can hold of databases and Kubernetes.
//!
//! All is built once and then run against one backend after the other, so that no two of them hold
//! memory at once. What a stage starts ends with it. A stage that this machine cannot hold is skipped
//! aloud; when `CI` is set that is a failure.

mod build;
mod clients;
mod libtest;
mod schemathesis;
mod suite;

use crate::{
    checkout::in_ci,
    debian::Installed,
    host,
    job::Interrupt,
    kube,
    plan::{Outcome, Plan},
    services::{self, Kind},
    tools::{self, Set},
};
use anyhow::{Result, bail};
use build::Built;
use std::{env, path::PathBuf};
use suite::{Choice, DATABASE, Suite};

#[derive(Debug, clap::Parser)]
pub(crate) struct Args {
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Clone, Copy, Debug, clap::Subcommand)]
enum Part {
    /// Unit tests, those of the sandbox, and of the API on SQLite and the sandbox: minutes once built
    Quick,
    /// Store and API on PostgreSQL
    Postgres,
    /// Store and API on MariaDB
    Mariadb,
    /// Reconciler and API on a real Kubernetes with KubeVirt
    Kubernetes,
    /// Containers on a real node
    Node,
    /// Requests made from the OpenAPI document
    Schemathesis,
    /// Other people's Kubernetes clients on the sandbox
    Clients,
}

const BUILD: &str = "build all tests";
const QUICK: &str = "unit tests, API on SQLite and the sandbox";
const TOOLS: &str = "Kubernetes tools (minutes the first time)";
const POSTGRES: &str = "store and API on PostgreSQL";
const MARIADB: &str = "store and API on MariaDB";
const KUBERNETES: &str = "reconciler and API on a real Kubernetes with KubeVirt";
const NODE: &str = "containers on a real node";
const SCHEMATHESIS: &str = "schemathesis over the served OpenAPI";
const CLIENTS: &str = "Python's, kopf's and JavaScript's clients on the sandbox";

/// What [`full`] does, in its order.
pub(crate) const STAGES: &[&str] = &[BUILD, TOOLS, QUICK, POSTGRES, MARIADB, KUBERNETES, NODE, SCHEMATHESIS, CLIENTS];

/// Runs the tests; whether nothing failed.
pub(crate) fn run(args: &Args) -> Result<bool> {
    let interrupt = Interrupt::catch()?;
    let Some(part) = args.part else {
        let mut plan = Plan::announce(interrupt, in_ci(), STAGES);
        full(&mut plan)?;
        return Ok(plan.close());
    };
    let titles: &[&str] = match part {
        Part::Quick => &[BUILD, QUICK],
        Part::Postgres => &[BUILD, POSTGRES],
        Part::Mariadb => &[BUILD, MARIADB],
        Part::Kubernetes => &[BUILD, TOOLS, KUBERNETES],
        Part::Node => &[BUILD, TOOLS, NODE],
        Part::Schemathesis => &[BUILD, SCHEMATHESIS],
        Part::Clients => &[BUILD, CLIENTS],
    };
    let mut plan = Plan::announce(interrupt, in_ci(), titles);
    if let Some(built) = built(&mut plan)? {
        for title in &titles[1..] {
            stage(&mut plan, title, &built)?;
        }
    }
    Ok(plan.close())
}

/// All stages, in a plan that announced [`STAGES`].
pub(crate) fn full(plan: &mut Plan) -> Result<()> {
    let Some(built) = built(plan)? else {
        for title in &STAGES[1..] {
            plan.give_up(title, "the tests do not build");
        }
        return Ok(());
    };
    for title in &STAGES[1..] {
        stage(plan, title, &built)?;
    }
    Ok(())
}

fn stage(plan: &mut Plan, title: &str, built: &Built) -> Result<bool> {
    plan.stage(title, |interrupt| match title {
        TOOLS => make_tools(),
        QUICK => quick(built, interrupt),
        POSTGRES => on_database(built, Kind::Postgres, interrupt),
        MARIADB => on_database(built, Kind::MariaDb, interrupt),
        KUBERNETES => on_kubernetes(built, interrupt),
        NODE => on_node(built, interrupt),
        SCHEMATHESIS => schemathesis::run(&built.kubekcloud, interrupt),
        CLIENTS => clients::on_sandbox(&built.kubekcloud, interrupt),
        _ => bail!("there is no stage of this name"),
    })
}

fn built(plan: &mut Plan) -> Result<Option<Built>> {
    plan.value(BUILD, |interrupt| Ok((Outcome::Ready, build::build(interrupt)?)))
}

fn quick(built: &Built, interrupt: &Interrupt) -> Result<Outcome> {
    let env = kubectl()?.into_iter().collect();
    Suite { built, name: "quick", choice: Choice::Quick, env }.run(interrupt).map(Outcome::Ran)
}

/// For the tests that need a kubectl: the user's, else the one that is built.
fn kubectl() -> Result<Option<(&'static str, &'static str, String)>> {
    let path = match env::var_os("KUBECTL_PATH") {
        Some(path) => Some(PathBuf::from(path)),
        None => tools::built(&[Set::ControlPlane])?.map(|tools| tools.bin("kubectl")).transpose()?,
    };
    Ok(path.map(|path| ("", "KUBECTL_PATH", path.display().to_string())))
}

/// Those of the stages that this machine can hold; the stages themselves say which it cannot.
fn make_tools() -> Result<Outcome> {
    let mut sets = Vec::new();
    if env::var_os(kube::TEST_KUBECONFIG).is_none() {
        sets.extend([Set::ControlPlane, Set::Kubevirt]);
    }
    if kube::node::prepare()? == Installed::Yes {
        sets.push(Set::Node);
    }
    if tools::built(&sets)?.is_none() && host::which("go").is_none() {
        return Ok(Outcome::Missing("Go is needed to build them".to_owned()));
    }
    tools::build(&sets)?;
    Ok(Outcome::Ready)
}

fn on_database(built: &Built, kind: Kind, interrupt: &Interrupt) -> Result<Outcome> {
    let server = match services::start(kind)? {
        Ok(server) => server,
        Err(how) => return Ok(Outcome::Missing(how)),
    };
    // The store's tests share a database of their own; the API's make one each.
    let name = format!("kubekcloud_store_{:08x}", rand::random::<u32>());
    let mut env = vec![("store", DATABASE, server.database(&name)?), ("kubekcloud", DATABASE, server.url.clone())];
    env.extend(kubectl()?);
    let outcome = Suite { built, name: kind.name(), choice: Choice::Database, env }.run(interrupt).map(Outcome::Ran);
    server.drop_database(&name)?;
    outcome
}

fn on_kubernetes(built: &Built, interrupt: &Interrupt) -> Result<Outcome> {
    if env::var_os(kube::TEST_KUBECONFIG).is_none() && tools::built(&[Set::ControlPlane, Set::Kubevirt])?.is_none() {
        return Ok(Outcome::Missing("its tools are not built".to_owned()));
    }
    let cluster = kube::Throwaway::up(true)?;
    let env = vec![
        ("", kube::TEST_KUBECONFIG, cluster.running.kubeconfig.display().to_string()),
        ("", "KUBECTL_PATH", cluster.running.kubectl.display().to_string()),
    ];
    let suite = Suite { built, name: "kubernetes", choice: Choice::Kubernetes, env };
    let outcome = suite.run(interrupt).and_then(|mut counts| {
        counts += clients::on_kubernetes(&cluster.running.kubeconfig, interrupt)?;
        Ok(Outcome::Ran(counts))
    });
    match cluster.down() {
        Err(error) if outcome.is_ok() => bail!("{error:#}"),
        _ => outcome,
    }
}

fn on_node(built: &Built, interrupt: &Interrupt) -> Result<Outcome> {
    if let Installed::Not(how) = kube::node::prepare()? {
        return Ok(Outcome::Missing(how));
    }
    if tools::built(&[Set::Node])?.is_none() {
        return Ok(Outcome::Missing("its tools are not built".to_owned()));
    }
    let cluster = kube::Throwaway::node_up()?;
    let env = vec![
        ("", kube::TEST_NODE_KUBECONFIG, cluster.running.kubeconfig.display().to_string()),
        ("", "KUBECTL_PATH", cluster.running.kubectl.display().to_string()),
    ];
    let outcome = Suite { built, name: "node", choice: Choice::Node, env }.run(interrupt).map(Outcome::Ran);
    match cluster.down() {
        Err(error) if outcome.is_ok() => bail!("{error:#}"),
        _ => outcome,
    }
}
