//! `cargo xtask openapi`: the checked-in OpenAPI document.
//!
//! Clients are generated from it, and its changes are read in reviews, so it must be what the API serves.

use crate::{checkout, job::output};
use anyhow::{Context, Result, bail};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const FILE: &str = "openapi/kubekcloud.json";

#[derive(Debug, clap::Parser)]
pub(crate) struct Args {
    /// Only compare; fail on a difference
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let document = output(checkout::cargo().args(["run", "--quiet", "--package", "kubekcloud", "--", "openapi"]))?.stdout;
    if args.check {
        return compare(&document);
    }
    let path = path();
    fs::create_dir_all(path.parent().unwrap_or(checkout::root()))?;
    fs::write(&path, document).with_context(|| format!("write {}", path.display()))?;
    println!("{FILE}");
    Ok(())
}

/// Fails when the file is not what `kubekcloud openapi` prints.
pub(crate) fn check(kubekcloud: &Path) -> Result<()> {
    compare(&output(Command::new(kubekcloud).arg("openapi"))?.stdout)
}

fn compare(document: &[u8]) -> Result<()> {
    let file = fs::read(path()).unwrap_or_default();
    if file == document {
        return Ok(());
    }
    let (file, document) = (String::from_utf8_lossy(&file), String::from_utf8_lossy(document));
    bail!("{FILE} is not what the API serves; run `cargo xtask openapi` and commit it.\n{}", first_difference(&file, &document));
}

fn path() -> PathBuf {
    checkout::root().join(FILE)
}

fn first_difference(file: &str, document: &str) -> String {
    let mut lines = file.lines().map(Some).chain(std::iter::repeat(None)).zip(document.lines().map(Some).chain(std::iter::repeat(None)));
    let longest = file.lines().count().max(document.lines().count());
    match lines.by_ref().take(longest).enumerate().find(|(_, (old, new))| old != new) {
        Some((number, (old, new))) => format!("line {}:\n- {}\n+ {}", number + 1, old.unwrap_or_default(), new.unwrap_or_default()),
        None => "only the line ends differ".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn the_first_difference_is_shown() {
        assert_eq!(first_difference("a\nb\nc\n", "a\nx\nc\n"), "line 2:\n- b\n+ x");
        assert_eq!(first_difference("a\n", "a\nb\n"), "line 2:\n- \n+ b");
        assert_eq!(first_difference("a", "a\n"), "only the line ends differ");
    }
}
