//! The control plane in one binary.
//!
//! This file only chooses the command. What a process is made of stands in `process.rs`.

mod commands;
mod config;
mod data_dir;
#[cfg(feature = "failpoints")]
mod failpoints;
mod logging;
mod process;
mod stop;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // The only provider that is built in; the first to install one wins, so an error means that it is there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    #[cfg(feature = "failpoints")]
    failpoints::arm();
    match commands::run(commands::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kubekcloud: {error:#}");
            ExitCode::FAILURE
        }
    }
}
