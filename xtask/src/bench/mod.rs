//! `cargo xtask bench`: measures the release build and keeps what came out in docs/benchmarks.md.
//!
//! A figure below its target is an open item in that file. It is never left out, and never a failure.

mod api;
mod create;
mod idle;
mod machine;
mod peer;
mod release;
mod report;
mod sandbox;
mod scale;
mod wrk;

use crate::job::Interrupt;
use anyhow::Result;

#[derive(Debug, clap::Parser)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Requests, durable creates, memory and cold start, beside a FastAPI reading of the seeds
    Api,
    /// A thousand instances on a real apiserver, beside the same POSTs sent straight to it
    Scale,
    /// The sandbox: start, memory, lists of 10,000 Pods, 1,000 watches
    Sandbox,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let interrupt = Interrupt::catch()?;
    let section = match args.what {
        What::Api => api::run(&interrupt)?,
        What::Scale => scale::run(&interrupt)?,
        What::Sandbox => sandbox::run(&interrupt)?,
    };
    println!("\n{section}");
    report::keep(&section)
}
