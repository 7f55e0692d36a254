//! Every developer task, as `cargo xtask TASK`.

mod digest;
mod kube;
mod tools;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Developer tasks of KubeKCloud")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// A real Kubernetes control plane with fake nodes, and KubeVirt on it
    Kube(kube::Args),
    /// Build the pinned tools that the tests run
    Tools(tools::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Kube(args) => kube::run(args),
        Task::Tools(args) => tools::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without the backtrace that a Debug of it would print.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
