//! Where built tools live: `{bin,manifests}` in a folder of the cache for each module.
//!
//! The hash covers the module's files and its row in the table of pins, so a changed pin or flag
//! never meets an old binary, and two checkouts with the same pins share one build. The version of
//! the Go toolchain is left out on purpose: what is built keeps working where `go` is absent.

use super::pins::Module;
use crate::cache::Folder;
use anyhow::{Context, Result};
use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Bumped when the way of building changes in a way that the table does not show.
const RECIPE: &str = "go build -trimpath -buildvcs=false CGO_ENABLED=0 / 1";

pub(crate) struct Slot {
    pub(crate) folder: Folder,
}

impl Slot {
    pub(crate) fn of(module: &Module) -> Result<Self> {
        Ok(Self { folder: Folder::of("tools", module.name, made_from(module)?)? })
    }

    pub(crate) fn bin(&self, tool: &str) -> PathBuf {
        self.folder.dir.join("bin").join(tool)
    }

    pub(crate) fn manifest(&self, name: &str) -> PathBuf {
        self.folder.dir.join("manifests").join(name)
    }

    pub(crate) fn complete(&self, module: &Module) -> bool {
        module.tools.iter().all(|tool| self.bin(tool.name).is_file())
            && module.manifests.iter().all(|manifest| self.manifest(manifest.name).is_file())
    }
}

/// The module's directory in the checkout.
pub(crate) fn source(module: &Module) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tools").join(module.source)
}

fn made_from(module: &Module) -> Result<Vec<Vec<u8>>> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    let mut part = |bytes: &[u8]| parts.push(bytes.to_vec());
    for text in [RECIPE, env::consts::OS, env::consts::ARCH, module.ldflags] {
        part(text.as_bytes());
    }
    if !module.tags.is_empty() || module.cgo {
        part(module.tags.as_bytes());
        part(&[u8::from(module.cgo)]);
    }
    for tool in module.tools {
        part(tool.name.as_bytes());
        part(tool.package.as_bytes());
    }
    for manifest in module.manifests {
        part(manifest.name.as_bytes());
        part(manifest.tool.as_bytes());
        part(manifest.args.join(" ").as_bytes());
    }
    let source = source(module);
    for file in files(&source)? {
        let name = file.strip_prefix(&source)?;
        part(name.as_os_str().as_encoded_bytes());
        part(&fs::read(&file).with_context(|| format!("read {}", file.display()))?);
    }
    Ok(parts)
}

fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("list {}", dir.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.extend(files(&entry.path())?);
        } else {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}
