//! `cargo xtask bench`

use anyhow::Result;

#[derive(Debug, clap::Parser)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> Result<()> {
    Ok(())
}
