//! Building one module's tools into its slot of the cache.
//!
//! Each file is made under a temporary name and renamed, so a name in the cache always means a whole
//! file, and an interrupted build goes on where it stopped. One lock per module keeps two builders
//! from doing the same work.

use super::{
    cache::{Slot, source},
    pins::{Manifest, Module, Tool},
};
use anyhow::{Context, Result, bail};
use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Instant,
};

/// Builds what is missing of `module`, save for the tools named in `supplied`.
pub(super) fn module(module: &Module, slot: &Slot, supplied: &[&str]) -> Result<()> {
    let wanted = |tool: &&Tool| !supplied.contains(&tool.name) && !slot.bin(tool.name).is_file();
    if slot.complete(module) || (module.manifests.is_empty() && !module.tools.iter().any(|t| wanted(&t))) {
        return Ok(());
    }
    let _lock = slot.folder.lock()?;
    fs::create_dir_all(slot.folder.dir.join("bin"))?;
    fs::create_dir_all(slot.folder.dir.join("manifests"))?;
    for tool in module.tools.iter().filter(wanted) {
        build(module, slot, tool)?;
    }
    for manifest in module.manifests {
        if !slot.manifest(manifest.name).is_file() {
            print(module, slot, manifest)?;
        }
    }
    Ok(())
}

fn build(module: &Module, slot: &Slot, tool: &Tool) -> Result<()> {
    let started = Instant::now();
    let target = slot.bin(tool.name);
    let partial = partial(&target);
    eprintln!("building {} (the first time takes minutes)", tool.name);
    let mut compiler = match tool.package.split_once("//") {
        Some((required, file)) => c(module, required, file, &partial),
        None => Ok(go(module, tool.package, &partial)),
    }?;
    run(&mut compiler, module).with_context(|| format!("build {}", tool.name))?;
    rename(&partial, &target)?;
    eprintln!("built {} in {:.0} s", tool.name, started.elapsed().as_secs_f64());
    Ok(())
}

fn go(module: &Module, package: &str, output: &Path) -> Command {
    let mut go = Command::new("go");
    go.args(["build", "-trimpath", "-buildvcs=false", "-tags", module.tags, "-ldflags", module.ldflags, "-o"]).arg(output).arg(package);
    go
}

/// A program that a Go module brings along as one file of C.
fn c(module: &Module, required: &str, file: &str, output: &Path) -> Result<Command> {
    let mut download = Command::new("go");
    run(download.args(["mod", "download", required]), module)?;
    let mut list = Command::new("go");
    let dir = run(list.args(["list", "-m", "-f", "{{.Dir}}", required]), module)?.stdout;
    let dir = String::from_utf8(dir).context("read the module's directory")?;
    let mut cc = Command::new("cc");
    cc.args(["-Os", "-static", "-s", "-o"]).arg(output).arg(Path::new(dir.trim()).join(file));
    Ok(cc)
}

fn print(module: &Module, slot: &Slot, manifest: &Manifest) -> Result<()> {
    let target = slot.manifest(manifest.name);
    let partial = partial(&target);
    let mut tool = Command::new(slot.bin(manifest.tool));
    tool.args(manifest.args);
    let output = run(&mut tool, module).with_context(|| format!("print {}", manifest.name))?;
    fs::write(&partial, output.stdout)?;
    rename(&partial, &target)
}

/// Runs in the module's directory, quietly unless it fails.
fn run(command: &mut Command, module: &Module) -> Result<Output> {
    let output = command.current_dir(source(module)).env("CGO_ENABLED", if module.cgo { "1" } else { "0" }).env("GOWORK", "off").output();
    let output = match output {
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "`{}` was not found on PATH. The Kubernetes tools are built from pinned Go modules: install Go \
             (the version that xtask/tools/{}/go.mod names, or newer), or name an existing cluster in \
             KUBEKCLOUD_TEST_KUBECONFIG",
            command.get_program().display(),
            module.name
        ),
        output => output.with_context(|| format!("run {}", command.get_program().display()))?,
    };
    if !output.status.success() {
        bail!("`{}` ended with {}:\n{}", command.get_program().display(), output.status, String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(output)
}

/// Builders of one module hold its lock, so one name for the unfinished file is enough.
fn partial(target: &Path) -> PathBuf {
    target.with_added_extension("partial")
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).with_context(|| format!("rename {} to {}", from.display(), to.display()))
}
