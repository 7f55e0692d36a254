//! What the process that makes the namespaces tells the one inside, in a file.

use crate::kube::{ports::Ports, state::StateDir};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, path::PathBuf};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) ports: Ports,
    pub(super) cgroup: String,
    pub(super) tools: BTreeMap<String, PathBuf>,
}

impl Plan {
    pub(super) fn write(&self, state: &StateDir) -> Result<()> {
        fs::write(state.path("plan.json"), serde_json::to_vec_pretty(self)?).context("write the plan")
    }

    pub(super) fn read(state: &StateDir) -> Result<Self> {
        serde_json::from_slice(&fs::read(state.path("plan.json"))?).context("read the plan")
    }

    pub(super) fn tool(&self, name: &str) -> Result<&PathBuf> {
        self.tools.get(name).with_context(|| format!("{name} is not in the plan"))
    }
}
