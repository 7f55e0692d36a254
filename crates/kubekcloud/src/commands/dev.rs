//! `kubekcloud dev`

use std::{
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    time::Duration,
};

use anyhow::Context;
use api::Limits;
use app::{Bootstrap, Policy};
use clap::Args;
use members::{Identity, Member};
use sandbox::Sandbox;
use types::Secret;

use crate::{
    data_dir::{DataDir, DevInfo},
    logging,
    process::{self, Admin, Front, Process, Setup},
    stop,
};

/// Try it: SQLite and an embedded sandbox Kubernetes, on loopback, with open sign-up
#[derive(Debug, Args)]
pub(crate) struct Dev {
    /// Port of the API; 0 picks a free one
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// Where database, sandbox and dev.json are kept
    #[arg(long, default_value = "kubekcloud-data")]
    data_dir: PathBuf,
}

impl Dev {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        logging::start(logging::Format::Text, "warn");
        process::runtime()?.block_on(self.dev())
    }

    async fn dev(self) -> anyhow::Result<()> {
        let stop = stop::on_signal()?;
        let data = DataDir::open(&self.data_dir)?;
        let sandbox = Sandbox::start(sandbox::Options { data_dir: Some(data.join("sandbox")), port: 0 }).await.context("the sandbox Kubernetes")?;
        let kubeconfig = data.join("sandbox").join("kubeconfig");
        let member = Member::from_kubeconfig(Identity::local(), &kubeconfig).await?;

        let db = store::open(&data.database_url()).await?;
        db.schema.migrate().await?;
        let setup = Setup { token_key: None, policy: Policy::for_trying(), deny_cidrs: Vec::new(), local: Some(member) };
        let process = Process::start(db, setup).await?;

        let listener = process::listen(IpAddr::V4(Ipv4Addr::LOCALHOST), self.port).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let admin_token = admin_token(&process, &data).await?;
        let info = DevInfo { docs_url: format!("{url}/docs"), api_url: url, admin_token, kubeconfig, pid: std::process::id() };
        data.write_info(&info)?;
        announce(&info);
        let admin = Admin::WithApi { allowed_origins: allowed_origins() };
        process.serve(Front { listener, admin, limits: Limits::default(), farewell: Duration::ZERO }, stop).await?;
        sandbox.shutdown().await;
        Ok(())
    }
}

/// Pages that may talk to it besides its own, separated by commas.
fn allowed_origins() -> Vec<String> {
    let list = std::env::var("ALLOWED_ORIGINS").unwrap_or_default();
    list.split(',').map(|origin| origin.trim().trim_end_matches('/').to_owned()).filter(|origin| !origin.is_empty()).collect()
}

/// The admin's token: the same at each start, because it stands in `dev.json`.
async fn admin_token(process: &Process, data: &DataDir) -> anyhow::Result<String> {
    let known = data.info().map(|info| info.admin_token);
    if let Some(token) = known
        && process.app().authenticate(&Secret::new(token.as_str())).await.is_ok()
    {
        return Ok(token);
    }
    let token = match process.app().bootstrap(None).await? {
        Bootstrap::Created(token) => token,
        // dev.json is lost, or the token in it was rotated.
        _ => process.app().admin_token_reset().await?,
    };
    Ok(token.expose().to_owned())
}

fn announce(info: &DevInfo) {
    let DevInfo { api_url, docs_url, admin_token, kubeconfig, pid: _ } = info;
    println!(
        "KubeKCloud is running, on SQLite and the embedded sandbox Kubernetes (nothing in it really runs)

  API          {api_url}
  Docs         {docs_url}
  Admin token  {admin_token}
  Kubernetes   kubectl --kubeconfig {} get pods -A

Ctrl-C stops it. What was created is kept.",
        kubeconfig.display()
    );
}
