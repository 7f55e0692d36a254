//! What a node needs of the machine.

use crate::{
    debian::{self, Installed},
    host::which,
};
use anyhow::Result;
use std::{fs, path::Path, process::Command};

/// For containers' files, addresses, kube-proxy's rules, and to build runc and pause.
const PACKAGES: &[&str] = &["busybox-static", "gcc", "iproute2", "libc6-dev", "libseccomp-dev", "nftables", "pkg-config"];

/// Every image is made of it.
pub(super) const BUSYBOX: &str = "/bin/busybox";

/// Installs what is missing; says what to do where that cannot be done.
pub(crate) fn prepare() -> Result<Installed> {
    if !rustix::process::geteuid().is_root() {
        return Ok(Installed::Not("a kubelet needs root".to_owned()));
    }
    if !Path::new("/sys/fs/cgroup").is_dir() {
        return Ok(Installed::Not("there are no cgroups in /sys/fs/cgroup".to_owned()));
    }
    debian::ensure(PACKAGES, || programs() && static_busybox() && seccomp())
}

fn programs() -> bool {
    ["cc", "ip", "nft", "pkg-config", "unshare"].into_iter().all(|program| which(program).is_some())
}

/// One that needs no libraries: containers have none.
fn static_busybox() -> bool {
    fs::read(BUSYBOX).is_ok_and(|bytes| !bytes.windows(LOADER.len()).any(|window| window == LOADER))
}

/// Every program that is linked against shared libraries names it.
const LOADER: &[u8] = b"/ld-linux";

fn seccomp() -> bool {
    Command::new("pkg-config").args(["--exists", "libseccomp"]).status().is_ok_and(|status| status.success())
}
