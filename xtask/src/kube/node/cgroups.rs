//! The node's own cgroup in each hierarchy: one directory per controller (version 1), or one (version 2,
//! where nobody has tried it yet).

use anyhow::{Context, Result, bail};
use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

const ROOT: &str = "/sys/fs/cgroup";
/// Version 2 on a machine that uses version 1.
const UNIFIED: &str = "/sys/fs/cgroup/unified";

/// The kubelet wants its root made beforehand; the one of version 2 beside version 1 is runc's to make.
pub(super) fn create(name: &str) -> Result<()> {
    for dir in places(name)?.into_iter().filter(|dir| !dir.starts_with(UNIFIED)) {
        fs::create_dir_all(&dir).with_context(|| format!("create the cgroup {}", dir.display()))?;
        // In version 1 a cgroup starts without processors and memory nodes, and takes no process.
        for file in ["cpuset.cpus", "cpuset.mems"] {
            let parent = Path::new(ROOT).join("cpuset").join(file);
            if dir.starts_with(Path::new(ROOT).join("cpuset")) {
                fs::write(dir.join(file), fs::read(&parent)?).with_context(|| format!("fill {file}"))?;
            }
        }
    }
    Ok(())
}

/// Removes them with all below; whether there were any. Waits for their processes to be gone.
pub(super) fn remove(name: &str, limit: Duration) -> Result<bool> {
    let there: Vec<PathBuf> = places(name)?.into_iter().filter(|dir| dir.exists()).collect();
    let deadline = Instant::now() + limit;
    for dir in &there {
        while let Err(error) = remove_tree(dir) {
            if Instant::now() >= deadline {
                bail!("remove the cgroup {}: {error}", dir.display());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
    Ok(!there.is_empty())
}

/// Children first: the files in a cgroup cannot be removed, and need not be.
fn remove_tree(dir: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        }
    }
    fs::remove_dir(dir)
}

fn places(name: &str) -> Result<Vec<PathBuf>> {
    let root = Path::new(ROOT);
    if root.join("cgroup.controllers").is_file() {
        return Ok(vec![root.join(name)]);
    }
    let mut places = Vec::new();
    for entry in fs::read_dir(root).with_context(|| format!("list {ROOT}"))? {
        let entry = entry?;
        // Links are second names of controllers that are mounted together.
        if entry.file_type()?.is_dir() {
            places.push(entry.path().join(name));
        }
    }
    Ok(places)
}
