//! `cargo xtask bench`: measures the release build and keeps what came out in docs/benchmarks.md.
//!
//! A figure below its target is an open item in that file. It is never left out, and never a failure.

mod api;
mod caller;
mod create;
mod idle;
mod machine;
mod peer;
mod release;
mod report;
mod sandbox;
mod scale;
mod siege;
mod wal;
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
    /// 10,000 instances on the sandbox, 2,000 on a real apiserver: their cost at rest, and creates at rest, in a resync and in a takeover
    Scale(scale::Args),
    /// What others notice of 5,000 silent connections and 2,000 bodies that do not end
    Siege(siege::Args),
    /// The sandbox: start, memory, lists of 10,000 Pods, 1,000 watches
    Sandbox,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let interrupt = Interrupt::catch()?;
    let section = match &args.what {
        What::Api => api::run(&interrupt)?,
        What::Scale(args) => scale::run(args, &interrupt)?,
        What::Siege(args) => siege::run(args, &interrupt)?,
        What::Sandbox => sandbox::run(&interrupt)?,
    };
    println!("\n{section}");
    match &args.what {
        What::Scale(args) if !args.whole() => Ok(()),
        What::Siege(args) if args.binary.is_some() => Ok(()),
        _ => report::keep(&section),
    }
}
