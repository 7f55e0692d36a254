//! What `dev` keeps: database, sandbox, `dev.json`. One process at a time.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

/// A data directory that this process holds.
pub(crate) struct DataDir {
    path: PathBuf,
    /// The lock goes with the file, however the process ends.
    _lock: File,
}

/// Where things are, for scripts: `dev.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DevInfo {
    /// Base URL of the API.
    pub(crate) api_url: String,
    /// Swagger UI.
    pub(crate) docs_url: String,
    /// Token of the user `admin`.
    pub(crate) admin_token: String,
    /// For kubectl.
    pub(crate) kubeconfig: PathBuf,
    /// This process.
    pub(crate) pid: u32,
}

impl DataDir {
    /// Opens (and makes) a data directory; refuses one that another process holds.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).with_context(|| format!("cannot make {}", path.display()))?;
        let path = path.canonicalize().with_context(|| format!("cannot find {}", path.display()))?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path.join("lock"))?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            bail!("another 'kubekcloud dev' uses {}; stop it, or choose another --data-dir", path.display());
        }
        Ok(Self { path, _lock: lock })
    }

    /// A file or folder inside.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// `DATABASE_URL` of the database inside.
    pub(crate) fn database_url(&self) -> String {
        format!("sqlite:///{}", self.path.join("kubekcloud.db").display())
    }

    /// What the last process wrote to `dev.json`.
    pub(crate) fn info(&self) -> Option<DevInfo> {
        let text = fs::read(self.join("dev.json")).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Writes `dev.json`, readable by its owner only, all of it or nothing.
    pub(crate) fn write_info(&self, info: &DevInfo) -> anyhow::Result<()> {
        let (draft, path) = (self.join("dev.json.new"), self.join("dev.json"));
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
        file.write_all(&serde_json::to_vec_pretty(info)?)?;
        file.sync_all()?;
        fs::rename(&draft, &path).with_context(|| format!("cannot write {}", path.display()))
    }
}
