//! The node's view of the file system. Nothing of it is seen outside.

use crate::kube::state::StateDir;
use anyhow::{Context, Result};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_bind, mount_change};
use std::{
    ffi::CStr,
    fs::{self, File},
    os::fd::AsRawFd,
    path::Path,
};

/// What a kubelet tunes of the kernel. These have no namespaces: were they not hidden behind files
/// that say so already, it would tune the whole machine.
const TUNED: &[(&str, &str)] = &[
    ("/proc/sys/vm/overcommit_memory", "1"),
    ("/proc/sys/vm/panic_on_oom", "0"),
    ("/proc/sys/kernel/panic", "10"),
    ("/proc/sys/kernel/panic_on_oops", "1"),
    ("/proc/sys/kernel/keys/root_maxkeys", "1000000"),
    ("/proc/sys/kernel/keys/root_maxbytes", "25000000"),
];

/// Where the components keep their data, and under which name of the state directory it is.
const DATA: &[(&str, &str)] = &[("kubelet", "/var/lib/kubelet"), ("containerd", "/var/lib/containerd"), ("pods", "/var/log/pods")];

/// Writes to `/var` land in memory, and end with the namespace.
const OVERLAY: &CStr = c"lowerdir=/var,upperdir=/run/var/upper,workdir=/run/var/work";

pub(super) fn prepare(state: &StateDir) -> Result<()> {
    // What is mounted in containers must come through to the node and back.
    mount_change("/", MountPropagationFlags::SHARED | MountPropagationFlags::REC).context("share mounts")?;
    // Held open, because the next two mounts may cover it.
    let root = File::open(state.root())?;
    mount("tmpfs", "/run", "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, Some(c"mode=755")).context("mount /run")?;
    for dir in ["upper", "work"] {
        fs::create_dir_all(Path::new("/run/var").join(dir))?;
    }
    mount("overlay", "/var", "overlay", MountFlags::empty(), Some(OVERLAY)).context("mount /var")?;
    fs::create_dir_all(state.root())?;
    mount_bind(format!("/proc/self/fd/{}", root.as_raw_fd()), state.root()).context("mount the state directory")?;
    for (name, path) in DATA {
        fs::create_dir_all(path)?;
        mount_bind(state.path(name), *path).with_context(|| format!("mount {path}"))?;
    }
    for (number, (setting, value)) in TUNED.iter().enumerate() {
        let file = format!("/run/tuned-{number}");
        fs::write(&file, format!("{value}\n"))?;
        mount_bind(&file, *setting).with_context(|| format!("cover {setting}"))?;
    }
    Ok(())
}
