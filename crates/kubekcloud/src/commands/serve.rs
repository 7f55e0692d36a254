//! `kubekcloud serve`

use std::{net::IpAddr, time::Duration};

use anyhow::Context;
use api::Limits;
use app::Bootstrap;
use clap::Args;
use members::{Identity, Member};

use crate::{
    config::Config,
    logging,
    process::{self, Admin, Front, Process, Setup},
    stop,
};

use super::admin_listen::{self, AdminListen};

/// An endpoint that has turned unready is taken out of a Service within about this.
const FAREWELL: Duration = Duration::from_secs(2);

/// Run it: database and Kubernetes from the environment
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Port of the API; 0 picks a free one
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// Address to listen on
    #[arg(long, default_value = "0.0.0.0")]
    host: IpAddr,
    /// Address of health, readiness and metrics, or 'off'; by default 127.0.0.1:9000, or another port when that is taken
    #[arg(long, value_name = "ADDR|off", env = "KUBEKCLOUD_ADMIN_LISTEN")]
    admin_listen: Option<AdminListen>,
    /// Leave the database's schema alone: refuse to start unless it is up to date
    #[arg(long)]
    no_migrate: bool,
    /// How log lines look
    #[arg(long, value_enum, default_value = "json", env = "KUBEKCLOUD_LOG_FORMAT")]
    log_format: logging::Format,
}

impl Serve {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        logging::start(self.log_format, "info");
        let config = Config::load()?;
        process::runtime()?.block_on(self.serve(config))
    }

    async fn serve(self, config: Config) -> anyhow::Result<()> {
        let stop = stop::on_signal()?;
        let db = store::open(config.database_url.expose()).await?;
        if self.no_migrate {
            db.schema.require_current_schema().await?;
        } else {
            db.schema.migrate().await?;
        }
        let Config { token_key, policy, deny_cidrs, .. } = config;
        let setup = Setup { token_key, policy, deny_cidrs, local: local(config.kubeconfig.as_deref()).await? };
        let process = Process::start(db, setup).await?;
        match process.app().bootstrap(config.bootstrap_token).await? {
            Bootstrap::Created(token) => {
                println!("Created the user 'admin'. Its token is shown this once:\n{}", token.expose());
            }
            Bootstrap::CreatedWithGiven => println!("Created the user 'admin' with the token of KUBEKCLOUD_BOOTSTRAP_TOKEN"),
            Bootstrap::Present => {}
        }
        let listener = process::listen(self.host, self.port).await?;
        let admin = match admin_listen::listen(self.admin_listen).await? {
            Some(admin) => {
                println!("Admin on http://{}", admin.local_addr()?);
                Admin::Apart(admin)
            }
            None => Admin::Off,
        };
        println!("Listening on http://{}", listener.local_addr()?);
        let limits = Limits { trusted: config.trusted_proxies, ..Limits::default() };
        process.serve(Front { listener, admin, limits, farewell: FAREWELL }, stop).await
    }
}

/// The Kubernetes that is named, else the one that we run in, else none. Never one that merely lies around.
async fn local(kubeconfig: Option<&std::path::Path>) -> anyhow::Result<Option<Member>> {
    if let Some(path) = kubeconfig {
        let member = Member::from_kubeconfig(Identity::local(), path).await.context("K8S_CONFIG_PATH")?;
        return Ok(Some(member));
    }
    if std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
        return Ok(Some(Member::in_cluster(Identity::local()).context("the in-cluster service account")?));
    }
    tracing::warn!("no Kubernetes configured: clusters cannot be created until K8S_CONFIG_PATH is set");
    Ok(None)
}
