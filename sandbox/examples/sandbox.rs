//! Runs a sandbox until Ctrl-C: `cargo run --example sandbox -- [DATA_DIR [PORT]]`.

use std::path::PathBuf;

use sandbox::{Options, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let data_dir = arguments.next().map(PathBuf::from);
    let port = arguments.next().map_or(Ok(0), |p| p.parse())?;
    let started = std::time::Instant::now();
    let sandbox = Sandbox::start(Options { data_dir, port }).await?;
    println!("{} after {:?}", sandbox.url(), started.elapsed());
    match sandbox.kubeconfig_path() {
        Some(path) => println!("export KUBECONFIG={}", path.display()),
        None => println!("{}", sandbox.kubeconfig()),
    }
    tokio::signal::ctrl_c().await?;
    sandbox.shutdown().await;
    Ok(())
}
