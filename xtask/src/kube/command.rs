//! The command line of `cargo xtask kube`.

use super::{Options, agent, cluster::runtime, down, known, node, state::StateDir, up};
use anyhow::{Result, bail};
use clap::{Parser, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// Where the cluster lives [default: one per checkout in the user's state directory]
    #[arg(long, global = true, env = "KUBEKCLOUD_KUBE_STATE")]
    state_dir: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Bring the cluster up; the last line on standard output is its kubeconfig's path
    Up {
        /// Leave KubeVirt out
        #[arg(long)]
        no_kubevirt: bool,
        #[command(flatten)]
        which: Which,
    },
    /// Stop the cluster
    Down(Which),
    /// Print exports for a shell: eval "$(cargo xtask kube env)"
    Env(Which),
    /// Play virt-handler and the kubelet's share of launcher Pods (started by `up`)
    #[command(hide = true)]
    NodeAgent(agent::Args),
    /// Be the first process of a real node's namespaces (started by `up --node`)
    #[command(hide = true)]
    InsideNode { root: PathBuf },
}

#[derive(Debug, clap::Args)]
struct Which {
    /// The second cluster: one real node (kubelet, containerd, runc), on which Pods really run; needs root
    #[arg(long)]
    node: bool,
}

pub(crate) fn run(args: Args) -> Result<()> {
    match args.verb {
        Verb::Up { no_kubevirt, which } => {
            let running = match which.node {
                true => node::up(args.state_dir.as_deref())?,
                false => up(&Options { kubevirt: !no_kubevirt, state_dir: args.state_dir })?,
            };
            println!("{}", running.kubeconfig.display());
            Ok(())
        }
        Verb::Down(Which { node: true }) => node::down(args.state_dir.as_deref()),
        Verb::Down(Which { node: false }) => down(args.state_dir.as_deref()),
        Verb::Env(Which { node }) => {
            let running = if node { node::known(args.state_dir.as_deref())? } else { known(args.state_dir.as_deref())? };
            let Some(running) = running else {
                bail!("it is not up: run `cargo xtask kube up{}`", if node { " --node" } else { "" });
            };
            println!("export {}={}", super::TEST_KUBECONFIG, quoted(&running.kubeconfig));
            println!("export KUBECTL_PATH={}", quoted(&running.kubectl));
            if let Some(dir) = running.kubectl.parent() {
                println!("export PATH={}:\"$PATH\"", quoted(dir));
            }
            Ok(())
        }
        Verb::NodeAgent(args) => runtime()?.block_on(agent::run(args)),
        Verb::InsideNode { root } => {
            let state = StateDir::open(Some(&root))?;
            runtime()?.block_on(node::run(state))
        }
    }
}

/// The path as one word of a POSIX shell.
fn quoted(path: &std::path::Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;
    use std::path::Path;

    #[test]
    fn a_quote_in_a_path_stays_one_word() {
        assert_eq!(quoted(Path::new("/it's here")), r"'/it'\''s here'");
    }
}
