//! The files of one Pod, in memory: a sorted map from absolute path to directory or content.
//!
//! All trees draw on one [`Quota`], and each has a limit of its own: a full one answers as a full disk does.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that one Pod's files may take.
const POD: usize = 16 << 20;
/// Bytes that the files of all Pods may take together.
const ALL: usize = 64 << 20;
/// What an entry costs besides its content.
const ENTRY: usize = 160;
/// Longer paths are refused, as by Linux.
const PATH: usize = 4095;

/// Why a file operation failed, in the words of `strerror`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing is at the path.
    #[error("No such file or directory")]
    NotFound,
    /// Something on the way is a file.
    #[error("Not a directory")]
    NotDirectory,
    /// A file was meant.
    #[error("Is a directory")]
    IsDirectory,
    /// Something is at the path already.
    #[error("File exists")]
    Exists,
    /// Only empty directories are removed.
    #[error("Directory not empty")]
    NotEmpty,
    /// A volume that the container may not write to.
    #[error("Read-only file system")]
    ReadOnly,
    /// The tree, or all of them together, have no room left.
    #[error("No space left on device")]
    Full,
    /// The path is over 4095 bytes.
    #[error("File name too long")]
    TooLong,
    /// The root or a mount, or a copy of something into itself.
    #[error("Device or resource busy")]
    Busy,
}

/// What is at a path.
#[derive(Debug, Clone)]
pub struct Inode {
    /// `None`: a directory.
    pub(crate) content: Option<Arc<Vec<u8>>>,
    /// Permission bits; nobody is refused for them.
    pub(crate) mode: u32,
    /// Seconds since 1970.
    pub(crate) modified: i64,
}

impl Inode {
    /// Whether it is a directory.
    pub fn is_dir(&self) -> bool {
        self.content.is_none()
    }

    /// In bytes; a directory's is that of a block.
    pub(crate) fn size(&self) -> usize {
        self.content.as_ref().map_or(4096, |c| c.len())
    }
}

/// What all trees have taken together. Clones count as one.
#[derive(Debug, Clone, Default)]
pub struct Quota(Arc<AtomicUsize>);

impl Quota {
    fn take(&self, bytes: usize) -> Result<(), Fault> {
        let grown = |used: usize| used.checked_add(bytes).filter(|sum| *sum <= ALL);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown).map(drop).map_err(|_| Fault::Full)
    }

    fn give(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Whether a new tree would find less room than it may use.
    pub fn is_short(&self) -> bool {
        self.0.load(Ordering::Relaxed) + POD > ALL
    }
}

/// The files. Paths are absolute and without `.` and `..`; the root is the empty path.
#[derive(Debug)]
pub struct Tree {
    nodes: BTreeMap<String, Inode>,
    used: usize,
    quota: Quota,
}

impl Drop for Tree {
    fn drop(&mut self) {
        self.quota.give(self.used);
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

impl Tree {
    /// An empty tree that draws on this quota.
    pub fn new(quota: Quota) -> Self {
        Tree { nodes: BTreeMap::new(), used: 0, quota }
    }

    /// What is at a path.
    ///
    /// # Errors
    /// When nothing is there, or something on the way is a file.
    pub fn stat(&self, path: &str) -> Result<Inode, Fault> {
        if path.is_empty() {
            return Ok(Inode { content: None, mode: 0o755, modified: 0 });
        }
        self.nodes.get(path).cloned().ok_or_else(|| self.missing(path))
    }

    /// Nothing there; or something on the way is a file.
    fn missing(&self, path: &str) -> Fault {
        let up = parent(path);
        match self.nodes.get(up) {
            Some(node) if !node.is_dir() => Fault::NotDirectory,
            _ => Fault::NotFound,
        }
    }

    fn in_directory(&self, path: &str) -> Result<(), Fault> {
        match self.stat(parent(path))?.is_dir() {
            true => Ok(()),
            false => Err(Fault::NotDirectory),
        }
    }

    fn put(&mut self, path: &str, node: Inode) -> Result<(), Fault> {
        let cost = |node: &Inode| ENTRY + path.len() + node.content.as_ref().map_or(0, |c| c.len());
        let before = self.nodes.get(path).map_or(0, &cost);
        let after = cost(&node);
        if path.len() > PATH {
            return Err(Fault::TooLong);
        }
        if after > before {
            if self.used + (after - before) > POD {
                return Err(Fault::Full);
            }
            self.quota.take(after - before)?;
        } else {
            self.quota.give(before - after);
        }
        self.used = self.used + after - before;
        self.nodes.insert(path.to_owned(), node);
        Ok(())
    }

    /// Bytes that still fit.
    pub(crate) fn room(&self) -> usize {
        POD.saturating_sub(self.used)
    }

    pub(crate) fn mkdir(&mut self, path: &str, mode: u32, modified: i64) -> Result<(), Fault> {
        if path.is_empty() || self.nodes.contains_key(path) {
            return Err(Fault::Exists);
        }
        self.in_directory(path)?;
        self.put(path, Inode { content: None, mode, modified })
    }

    /// Replaces a file's content, or makes the file.
    pub(crate) fn write(&mut self, path: &str, content: Vec<u8>, mode: Option<u32>, modified: i64) -> Result<(), Fault> {
        self.in_directory(path)?;
        let before = self.nodes.get(path);
        if path.is_empty() || before.is_some_and(Inode::is_dir) {
            return Err(Fault::IsDirectory);
        }
        let mode = mode.or(before.map(|n| n.mode)).unwrap_or(0o644);
        self.put(path, Inode { content: Some(Arc::new(content)), mode, modified })
    }

    /// Adds to a file's end; in place, unless somebody still reads it.
    pub(crate) fn append(&mut self, path: &str, more: &[u8], modified: i64) -> Result<(), Fault> {
        let Some(Inode { content: Some(content), modified: time, .. }) = self.nodes.get_mut(path) else {
            return self.write(path, more.to_vec(), None, modified);
        };
        if self.used + more.len() > POD {
            return Err(Fault::Full);
        }
        self.quota.take(more.len())?;
        self.used += more.len();
        *time = modified;
        Arc::make_mut(content).extend_from_slice(more);
        Ok(())
    }

    pub(crate) fn set(&mut self, path: &str, mode: Option<u32>, modified: i64) -> Result<(), Fault> {
        let missing = self.missing(path);
        let node = self.nodes.get_mut(path).ok_or(missing)?;
        node.mode = mode.unwrap_or(node.mode);
        node.modified = modified;
        Ok(())
    }

    /// Removes a file or an empty directory.
    pub(crate) fn remove(&mut self, path: &str) -> Result<(), Fault> {
        let node = self.stat(path)?;
        if path.is_empty() {
            return Err(Fault::Busy);
        }
        if node.is_dir() && !self.names(path).is_empty() {
            return Err(Fault::NotEmpty);
        }
        self.nodes.remove(path);
        let cost = ENTRY + path.len() + node.content.map_or(0, |c| c.len());
        self.used -= cost;
        self.quota.give(cost);
        Ok(())
    }

    /// The names in a directory, sorted.
    pub(crate) fn names(&self, path: &str) -> Vec<String> {
        let prefix = format!("{path}/");
        let below = self.nodes.range::<str, _>((Bound::Excluded(prefix.as_str()), Bound::Unbounded)).map(|(key, _)| key);
        let below = below.map_while(|key| key.strip_prefix(&prefix));
        below.filter(|rest| !rest.contains('/')).map(str::to_owned).collect()
    }

    /// Removes everything below a path.
    pub fn clear(&mut self, path: &str) {
        let prefix = format!("{path}/");
        let below: Vec<String> = self.nodes.range(prefix.clone()..).map(|(k, _)| k.clone()).take_while(|k| k.starts_with(&prefix)).collect();
        // Deepest first, so that each directory is empty when its turn comes.
        below.iter().rev().for_each(|key| self.remove(key).unwrap_or_default());
    }
}
