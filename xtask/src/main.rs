//! Every developer task, as `cargo xtask TASK`.

mod bench;
mod cache;
mod checkout;
mod ci;
mod debian;
mod digest;
mod host;
mod javascript;
mod job;
mod kube;
mod lint;
mod openapi;
mod plan;
mod product;
mod python;
mod schema;
mod services;
mod test;
mod tools;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};
use debian::Installed;
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Developer tasks of KubeKCloud")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// All tests, with what this machine can hold of databases and Kubernetes
    Test(test::Args),
    /// What CI runs: format, clippy, our own checks, all tests
    Ci,
    /// Our own checks of the repository
    Lint,
    /// Write openapi/kubekcloud.json
    Openapi,
    /// Write sandbox/schema/types.txt, from a real API server
    Schema,
    /// Measure, and write docs/benchmarks.md
    Bench(bench::Args),
    /// A real Kubernetes control plane with fake nodes, and KubeVirt on it
    Kube(kube::Args),
    /// Build the pinned tools that the tests run
    Tools(tools::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Test(args) => test::run(&args),
        Task::Ci => ci::run(),
        Task::Lint => lint::run(),
        Task::Openapi => succeeded(openapi::run()),
        Task::Schema => succeeded(schema::run()),
        Task::Bench(args) => succeeded(bench::run(&args)),
        Task::Kube(args) => succeeded(kube::run(args)),
        Task::Tools(args) => succeeded(build_tools(&args)),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Without the backtrace that a Debug of it would print.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// A node needs more of the machine than the tools that are built for it.
fn build_tools(args: &tools::Args) -> Result<()> {
    if args.node
        && let Installed::Not(how) = kube::node::prepare()?
    {
        bail!("the node's tools cannot be built: {how}");
    }
    tools::run(args)
}

/// Of a task that has no verdict but its errors.
fn succeeded(done: Result<()>) -> Result<bool> {
    done.map(|()| true)
}
