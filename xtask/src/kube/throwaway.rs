//! A cluster for one task: a developer's own cluster is left as it is.

use super::{Options, Running, TEST_KUBECONFIG, down, node, up};
use anyhow::{Context, Result};
use std::{env, path::Path};
use tempfile::TempDir;

/// The user's named cluster, else one that ends with this value.
pub(crate) struct Throwaway {
    pub(crate) running: Running,
    dir: Option<TempDir>,
    node: bool,
}

impl Throwaway {
    pub(crate) fn up(kubevirt: bool) -> Result<Self> {
        let dir = directory()?;
        let state_dir = Some(dir.path().to_owned());
        let running = up(&Options { kubevirt, state_dir })?;
        Ok(Self { running, dir: env::var_os(TEST_KUBECONFIG).is_none().then_some(dir), node: false })
    }

    /// One with a real node: always one that ends with this value.
    pub(crate) fn node_up() -> Result<Self> {
        let dir = directory()?;
        let running = node::up(Some(dir.path()))?;
        Ok(Self { running, dir: Some(dir), node: true })
    }

    fn stop(&self, state_dir: &Path) -> Result<()> {
        let stopped = if self.node { node::down(Some(state_dir)) } else { down(Some(state_dir)) };
        stopped.context("stop the cluster")
    }

    /// Stops it; the same as dropping it, but says what went wrong.
    pub(crate) fn down(mut self) -> Result<()> {
        self.dir.take().map_or(Ok(()), |dir| self.stop(dir.path()))
    }
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        if let Some(dir) = self.dir.take()
            && let Err(error) = self.stop(dir.path())
        {
            eprintln!("{error:#}");
        }
    }
}

fn directory() -> Result<TempDir> {
    tempfile::Builder::new().prefix("kubekcloud-kube-").tempdir().context("make a temporary directory")
}
