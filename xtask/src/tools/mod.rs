//! The pinned tools that tests run beside the product: built once from Go modules, kept in the
//! user's cache directory, never in the checkout.
//!
//! [`build`] makes what is missing; [`built`] only looks. `KUBEBUILDER_ASSETS` may supply etcd,
//! kube-apiserver and kubectl; the rest is always built.

mod cache;
mod compile;
mod pins;

use anyhow::{Result, bail};
use cache::Slot;
pub(crate) use pins::Set;
use pins::{Module, SUPPLIED};
use std::{env, path::PathBuf};

#[derive(Debug, clap::Parser)]
pub(crate) struct Args {
    /// Leave KubeVirt's out
    #[arg(long)]
    no_kubevirt: bool,
    /// Also what a real node runs
    #[arg(long)]
    pub(crate) node: bool,
}

/// `cargo xtask tools`: builds them and prints where kubectl is.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut sets = vec![Set::ControlPlane];
    if !args.no_kubevirt {
        sets.push(Set::Kubevirt);
    }
    if args.node {
        sets.push(Set::Node);
    }
    println!("{}", build(&sets)?.bin("kubectl")?.display());
    Ok(())
}

/// Paths of a set of built tools.
pub(crate) struct Tools {
    slots: Vec<(&'static Module, Slot)>,
    supplied: Option<PathBuf>,
}

/// Builds what is missing of `sets`, with progress on standard error.
pub(crate) fn build(sets: &[Set]) -> Result<Tools> {
    let tools = Tools::of(sets)?;
    let supplied: Vec<&str> = SUPPLIED.iter().copied().filter(|name| tools.supplied(name).is_some()).collect();
    for (module, slot) in &tools.slots {
        compile::module(module, slot, &supplied)?;
    }
    Ok(tools)
}

/// The tools of `sets` if all of them are there already.
pub(crate) fn built(sets: &[Set]) -> Result<Option<Tools>> {
    let tools = Tools::of(sets)?;
    let there = tools.slots.iter().all(|(module, slot)| {
        slot.complete(module)
            || module.manifests.is_empty() && module.tools.iter().all(|tool| slot.bin(tool.name).is_file() || tools.supplied(tool.name).is_some())
    });
    Ok(there.then_some(tools))
}

impl Tools {
    fn of(sets: &[Set]) -> Result<Self> {
        let modules = sets.iter().flat_map(|set| set.modules());
        let slots = modules.map(|module| Ok((module, Slot::of(module)?))).collect::<Result<_>>()?;
        Ok(Self { slots, supplied: env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from) })
    }

    fn supplied(&self, name: &str) -> Option<PathBuf> {
        let path = self.supplied.as_ref()?.join(name);
        (SUPPLIED.contains(&name) && path.is_file()).then_some(path)
    }

    /// The executable's path.
    pub(crate) fn bin(&self, name: &str) -> Result<PathBuf> {
        if let Some(path) = self.supplied(name) {
            return Ok(path);
        }
        let slot = self.slots.iter().find(|(module, _)| module.tools.iter().any(|tool| tool.name == name));
        match slot {
            Some((_, slot)) => Ok(slot.bin(name)),
            None => bail!("{name} is not among the tools asked for"),
        }
    }

    /// The path of a manifest that was printed at build time.
    pub(crate) fn manifest(&self, name: &str) -> Result<PathBuf> {
        let slot = self.slots.iter().find(|(module, _)| module.manifests.iter().any(|manifest| manifest.name == name));
        match slot {
            Some((_, slot)) => Ok(slot.manifest(name)),
            None => bail!("{name} is not among the manifests asked for"),
        }
    }
}
