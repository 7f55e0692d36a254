//! `kubekcloud migrate`

use clap::Args;

use crate::{config::Config, logging, process};

/// Bring the database's schema up to date
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// Only say what would be done; the exit code is 1 when something would be
    #[arg(long)]
    check: bool,
}

impl Migrate {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        logging::start(logging::Format::Text, "warn");
        let config = Config::load()?;
        process::runtime()?.block_on(async {
            let schema = store::open(config.database_url.expose()).await?.schema;
            if self.check {
                schema.require_current_schema().await?;
                println!("up to date");
                return Ok(());
            }
            let taken = schema.migrate().await?;
            for step in &taken {
                println!("applied {step}");
            }
            if taken.is_empty() {
                println!("up to date");
            }
            Ok(())
        })
    }
}
