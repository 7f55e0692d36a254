//! One container's view of its Pod's files: its own root, and volumes where it mounts them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::tree::{Fault, Inode, Tree};

/// A volume at a path of the container.
#[derive(Debug, Clone)]
pub struct Mount {
    /// Where the container has it: absolute and clean ([`absolute`]).
    pub path: String,
    /// Where the Pod's tree has it.
    pub key: String,
    /// Whether the container may not write there.
    pub read_only: bool,
}

/// The files as one container sees them. Paths are absolute, and clean (see [`absolute`]).
#[derive(Debug, Clone)]
pub struct Places {
    tree: Arc<Mutex<Tree>>,
    root: String,
    /// Longest paths first.
    mounts: Arc<[Mount]>,
}

/// A path from the root without `.`, `..`, doubled or trailing slashes. The root is empty.
pub fn absolute(cwd: &str, path: &str) -> String {
    let base = if path.starts_with('/') { "" } else { cwd };
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.iter().fold(String::new(), |path, part| path + "/" + part)
}

/// A path as the container shows it.
pub(crate) fn shown(path: &str) -> String {
    if path.is_empty() { "/".to_owned() } else { path.to_owned() }
}

impl Places {
    /// The files of a container whose root is the directory `root` of the Pod's tree, and its mounts in any order.
    pub fn new(tree: Arc<Mutex<Tree>>, root: String, mut mounts: Vec<Mount>) -> Self {
        mounts.sort_by_key(|m| std::cmp::Reverse(m.path.len()));
        Places { tree, root, mounts: mounts.into() }
    }

    /// The Pod's tree, which nobody else uses for as long as this is held.
    pub fn tree(&self) -> MutexGuard<'_, Tree> {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self, path: &str) -> (String, bool) {
        for mount in self.mounts.iter() {
            if let Some(rest) = path.strip_prefix(mount.path.as_str()).filter(|rest| rest.is_empty() || rest.starts_with('/')) {
                return (format!("{}{rest}", mount.key), mount.read_only);
            }
        }
        (format!("{}{path}", self.root), false)
    }

    fn writable(&self, path: &str) -> Result<String, Fault> {
        let (key, read_only) = self.key(path);
        if read_only { Err(Fault::ReadOnly) } else { Ok(key) }
    }

    /// What is at a path.
    ///
    /// # Errors
    /// When nothing is there, or something on the way is a file.
    pub fn stat(&self, path: &str) -> Result<Inode, Fault> {
        self.tree().stat(&self.key(path).0)
    }

    /// Whether a directory is at a path.
    pub fn is_dir(&self, path: &str) -> bool {
        self.stat(path).is_ok_and(|node| node.is_dir())
    }

    /// The content of a file.
    ///
    /// # Errors
    /// When nothing is there, or a directory.
    pub fn read(&self, path: &str) -> Result<Arc<Vec<u8>>, Fault> {
        self.stat(path)?.content.ok_or(Fault::IsDirectory)
    }

    pub(crate) fn names(&self, path: &str) -> Vec<String> {
        self.tree().names(&self.key(path).0)
    }

    pub(crate) fn room(&self) -> usize {
        self.tree().room()
    }

    /// Replaces a file's content, or makes the file. Its mode stays, or is 0644, where none is given; `modified` is in seconds
    /// since 1970.
    ///
    /// # Errors
    /// When its directory is not there or read-only, a directory is in its place, or the tree is full.
    pub fn write(&self, path: &str, content: Vec<u8>, mode: Option<u32>, modified: i64) -> Result<(), Fault> {
        let key = self.writable(path)?;
        self.tree().write(&key, content, mode, modified)
    }

    pub(crate) fn append(&self, path: &str, more: &[u8], modified: i64) -> Result<(), Fault> {
        let key = self.writable(path)?;
        self.tree().append(&key, more, modified)
    }

    pub(crate) fn mkdir(&self, path: &str, mode: u32, modified: i64) -> Result<(), Fault> {
        if self.stat(path).is_ok() {
            return Err(Fault::Exists);
        }
        let key = self.writable(path)?;
        self.tree().mkdir(&key, mode, modified)
    }

    /// Makes the container's own root in the Pod's tree, as far as that has room. `modified` is in seconds since 1970.
    pub fn make_root(&self, modified: i64) {
        let _ = Places { root: String::new(), ..self.clone() }.mkdirs(&self.root, modified);
    }

    /// Makes a directory and those above it, where they are missing. `modified` is in seconds since 1970.
    ///
    /// # Errors
    /// When a file is in the way, the place is read-only, or the tree is full.
    pub fn mkdirs(&self, path: &str, modified: i64) -> Result<(), Fault> {
        for (end, _) in path.match_indices('/').skip(1).chain([(path.len(), "")]) {
            match self.mkdir(&path[..end], 0o755, modified) {
                Err(Fault::Exists) if self.is_dir(&path[..end]) => {}
                Err(fault) => return Err(if fault == Fault::Exists { Fault::NotDirectory } else { fault }),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    pub(crate) fn set(&self, path: &str, mode: Option<u32>, modified: i64) -> Result<(), Fault> {
        let key = self.writable(path)?;
        self.tree().set(&key, mode, modified)
    }

    pub(crate) fn remove(&self, path: &str) -> Result<(), Fault> {
        let key = self.writable(path)?;
        if self.mounts.iter().any(|m| m.path == path) {
            return Err(Fault::Busy);
        }
        self.tree().remove(&key)
    }

    /// A path and everything below it, parents first; what is gone meanwhile is left out.
    pub(crate) fn walk(&self, path: &str) -> Vec<(String, Inode)> {
        let (mut found, mut left) = (Vec::new(), vec![path.to_owned()]);
        while let Some(path) = left.pop() {
            let Ok(node) = self.stat(&path) else { continue };
            if node.is_dir() {
                left.extend(self.names(&path).iter().rev().map(|name| format!("{path}/{name}")));
            }
            found.push((path, node));
        }
        found
    }
}
