//! What tasks make once and keep, in the user's cache directory: `CACHE/kubekcloud/KIND/NAME-HASH`.
//!
//! A folder is named after the hash of all that it is made from, so a changed pin makes a new one, two checkouts with the
//! same pins share one, and a whole one is never touched again. It is made under a lock. Nothing is ever removed: an old
//! folder is one that an older checkout may still use.

use crate::digest::digest;
use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};
use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
};

/// One folder of the cache; it need not be there yet.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) dir: PathBuf,
}

impl Folder {
    pub(crate) fn of<P: AsRef<[u8]>>(kind: &str, name: &str, made_from: impl IntoIterator<Item = P>) -> Result<Self> {
        Ok(Self { dir: root()?.join(kind).join(format!("{name}-{}", digest(made_from))) })
    }

    /// Makes it, unless it is there and whole. What was left unfinished is removed before.
    pub(crate) fn made(self, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let complete = self.dir.join("complete");
        // Most often it is there, and nobody has to wait to see that.
        if complete.is_file() {
            return Ok(self.dir);
        }
        let _lock = self.lock()?;
        if !complete.is_file() {
            println!("      making {}", self.dir.display());
            if self.dir.exists() {
                fs::remove_dir_all(&self.dir).with_context(|| format!("remove the unfinished {}", self.dir.display()))?;
            }
            fs::create_dir_all(&self.dir).with_context(|| format!("create {}", self.dir.display()))?;
            make(&self.dir).with_context(|| format!("make {}", self.dir.display()))?;
            File::create(complete)?;
        }
        Ok(self.dir)
    }

    /// Held until dropped; waits, aloud, for another task that makes the same.
    pub(crate) fn lock(&self) -> Result<File> {
        let path = self.dir.with_added_extension("lock");
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("create {}", parent.display()))?;
        }
        let file = File::create(&path).with_context(|| format!("create {}", path.display()))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            eprintln!("waiting for another task that makes the same ({})", path.display());
            flock(&file, FlockOperation::LockExclusive).with_context(|| format!("lock {}", path.display()))?;
        }
        Ok(file)
    }
}

fn root() -> Result<PathBuf> {
    let cache = match env::var_os("XDG_CACHE_HOME") {
        Some(dir) if Path::new(&dir).is_absolute() => PathBuf::from(dir),
        _ => env::home_dir().context("neither XDG_CACHE_HOME nor HOME is set: no place to keep what is made once")?.join(".cache"),
    };
    Ok(cache.join("kubekcloud"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_made_once_and_anew_when_it_was_left_unfinished() {
        let cache = tempfile::tempdir().unwrap();
        let folder = || Folder { dir: cache.path().join("kind").join("name-1.2") };
        let failed = folder().made(|dir| {
            fs::write(dir.join("half"), "")?;
            anyhow::bail!("broken")
        });
        assert!(failed.is_err());
        let dir = folder().made(|dir| Ok(fs::write(dir.join("whole"), "")?)).unwrap();
        assert!(dir.join("whole").is_file() && !dir.join("half").exists());
        assert_eq!(folder().made(|_| anyhow::bail!("it is there")).unwrap(), dir);
        assert!(cache.path().join("kind").join("name-1.2.lock").is_file());
    }
}
