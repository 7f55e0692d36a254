//! What is kept in the data directory beside the objects: certificate, token and port, and the kubeconfig made of them.
//! Files are for their owner only.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::identity::Identity;

/// What identifies this sandbox to its clients.
pub(crate) struct Kept {
    dir: Option<PathBuf>,
    /// Held as long as the directory is in use; the system lets go of it when the process ends, however it ends.
    pub(crate) lock: Option<File>,
    pub(crate) identity: Identity,
    pub(crate) token: String,
    pub(crate) port: Option<u16>,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    certificate: String,
    key: String,
    token: String,
    port: u16,
}

const FILE: &str = "sandbox.json";

impl Kept {
    /// Reads what a data directory keeps, or makes it anew.
    pub(crate) fn open(dir: Option<&Path>) -> Result<Self, Error> {
        let dir = dir.map(Path::to_owned);
        let mut lock = None;
        if let Some(dir) = &dir {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(Error::file(dir))?;
            lock = Some(lock_directory(dir)?);
            let path = dir.join(FILE);
            if path.exists() {
                let text = std::fs::read(&path).map_err(Error::file(&path))?;
                let saved: Saved = serde_json::from_slice(&text).map_err(|e| Error::file(&path)(e.into()))?;
                let identity = Identity { certificate: saved.certificate, key: saved.key };
                return Ok(Kept { dir: Some(dir.clone()), lock, identity, token: saved.token, port: Some(saved.port) });
            }
        }
        let mut random = rand::rng();
        let token = format!("{:032x}{:032x}", random.random::<u128>(), random.random::<u128>());
        Ok(Kept { dir, lock, identity: Identity::new()?, token, port: None })
    }

    /// Writes everything back, with the port that was taken. Returns where the kubeconfig is.
    pub(crate) fn write(&self, port: u16, kubeconfig: &str) -> Result<Option<PathBuf>, Error> {
        let Some(dir) = &self.dir else { return Ok(None) };
        let saved = Saved { certificate: self.identity.certificate.clone(), key: self.identity.key.clone(), token: self.token.clone(), port };
        let text = serde_json::to_vec_pretty(&saved).map_err(|e| Error::file(dir)(e.into()))?;
        write(&dir.join(FILE), &text)?;
        let path = dir.join("kubeconfig");
        write(&path, kubeconfig.as_bytes())?;
        Ok(Some(path))
    }

    pub(crate) fn kubeconfig(&self, port: u16) -> String {
        let ca = STANDARD.encode(&self.identity.certificate);
        let token = &self.token;
        format!(
            "apiVersion: v1\nkind: Config\nclusters:\n- name: sandbox\n  cluster:\n    server: https://127.0.0.1:{port}\n    certificate-authority-data: {ca}\n\
             users:\n- name: sandbox-admin\n  user:\n    token: {token}\ncontexts:\n- name: sandbox\n  context:\n    cluster: sandbox\n    user: sandbox-admin\n\
             current-context: sandbox\n"
        )
    }
}

fn lock_directory(dir: &Path) -> Result<File, Error> {
    let path = dir.join("lock");
    let file = std::fs::OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(Error::file(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse(dir.to_owned())),
        Err(TryLockError::Error(e)) => Err(Error::file(&path)(e)),
    }
}

/// Replaces a file as a whole, so that nobody reads half of it.
fn write(path: &Path, text: &[u8]) -> Result<(), Error> {
    let new = path.with_extension("new");
    let mut file = std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&new).map_err(Error::file(&new))?;
    file.write_all(text).map_err(Error::file(&new))?;
    std::fs::rename(&new, path).map_err(Error::file(path))
}
