//! The command line, one file a command.

mod admin_listen;
mod dev;
mod migrate;
mod openapi;
mod serve;

use clap::{Parser, Subcommand};

/// Turns any Kubernetes into a self-service cloud.
#[derive(Debug, Parser)]
#[command(name = "kubekcloud", version, about)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try it: SQLite and an embedded sandbox Kubernetes, on loopback, with open sign-up
    Dev(dev::Dev),
    /// Run it: database and Kubernetes from the environment
    Serve(serve::Serve),
    /// Bring the database's schema up to date
    Migrate(migrate::Migrate),
    /// Print the OpenAPI document
    Openapi,
}

/// Runs a command to its end.
pub(crate) fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Dev(dev) => dev.run(),
        Command::Serve(serve) => serve.run(),
        Command::Migrate(migrate) => migrate.run(),
        Command::Openapi => openapi::run(),
    }
}
