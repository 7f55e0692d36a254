//! The directory of one cluster: its record, certificates, logs and etcd's data.

use super::{ports::Ports, process::Process};
use crate::digest::digest;
use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::{
    env,
    fs::{self, DirBuilder, File, OpenOptions},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// What runs, saved after each start so that nothing is ever left behind unknown.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) ports: Ports,
    pub(crate) processes: Vec<Process>,
    /// What the control plane was started from, once it is ready.
    pub(crate) control_plane: Option<String>,
    /// The same of KubeVirt.
    pub(crate) kubevirt: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct StateDir {
    root: PathBuf,
}

impl StateDir {
    /// The given directory, else one per checkout in the user's state directory.
    pub(crate) fn open(explicit: Option<&Path>) -> Result<Self> {
        let root = match explicit {
            Some(path) => std::path::absolute(path)?,
            None => default_root()?,
        };
        let state = Self { root };
        state.create(&state.root)?;
        Ok(state)
    }

    /// That of the cluster with a real node: another cluster, which may run at the same time.
    pub(crate) fn node(&self) -> Result<Self> {
        let state = Self { root: self.path("node") };
        state.create(&state.root)?;
        Ok(state)
    }

    /// Makes room for a new cluster.
    pub(crate) fn prepare(&self) -> Result<()> {
        self.create(&self.path("logs"))?;
        self.create(&self.path("pki"))
    }

    pub(crate) fn create(&self, dir: &Path) -> Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir).with_context(|| format!("create {}", dir.display()))
    }

    /// Held while something starts or stops here.
    pub(crate) fn lock(&self) -> Result<File> {
        let path = self.path("lock");
        let file = File::create(&path).with_context(|| format!("create {}", path.display()))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            eprintln!("waiting for another start or stop of this cluster");
            flock(&file, FlockOperation::LockExclusive)?;
        }
        Ok(file)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.path("kubeconfig")
    }

    pub(crate) fn log(&self, component: &str) -> PathBuf {
        self.root.join("logs").join(format!("{component}.log"))
    }

    pub(crate) fn pki(&self, name: &str) -> PathBuf {
        self.root.join("pki").join(name)
    }

    pub(crate) fn load(&self) -> Result<Option<Record>> {
        let path = self.path("record.json");
        if !path.is_file() {
            return Ok(None);
        }
        let record = serde_json::from_slice(&fs::read(&path)?).with_context(|| format!("read {}", path.display()))?;
        Ok(Some(record))
    }

    pub(crate) fn save(&self, record: &Record) -> Result<()> {
        let partial = self.path("record.partial");
        fs::write(&partial, serde_json::to_vec_pretty(record)?)?;
        fs::rename(&partial, self.path("record.json")).context("save the record")
    }

    /// Writes a file that only its owner may read.
    pub(crate) fn write_private(&self, path: &Path, text: &str) -> Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)
            .with_context(|| format!("create {}", path.display()))?;
        file.write_all(text.as_bytes())?;
        Ok(())
    }

    /// Forgets a stopped cluster; its logs stay until the next start.
    pub(crate) fn clear(&self) -> Result<()> {
        self.remove(&["etcd", "pki", "volume-plugins"], &["kubeconfig", "kwok.yaml", "record.json"])
    }

    /// Removes what is there of these.
    pub(crate) fn remove(&self, dirs: &[&str], files: &[&str]) -> Result<()> {
        for dir in dirs {
            remove(&self.path(dir), fs::remove_dir_all)?;
        }
        for file in files {
            remove(&self.path(file), fs::remove_file)?;
        }
        Ok(())
    }
}

fn remove(path: &Path, how: impl Fn(PathBuf) -> std::io::Result<()>) -> Result<()> {
    match how(path.to_owned()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).with_context(|| format!("remove {}", path.display())),
        _ => Ok(()),
    }
}

fn default_root() -> Result<PathBuf> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in a workspace")?;
    let base = match env::var_os("XDG_STATE_HOME") {
        Some(dir) if Path::new(&dir).is_absolute() => PathBuf::from(dir),
        _ => env::home_dir().context("neither XDG_STATE_HOME nor HOME is set: name a directory with --state-dir")?.join(".local/state"),
    };
    let suffix = digest([checkout.as_os_str().as_encoded_bytes()]);
    Ok(base.join("kubekcloud").join(format!("kube-{suffix}")))
}
