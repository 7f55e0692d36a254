//! `cargo xtask lint`: what we hold ourselves to and no compiler checks.

mod crates;
mod files;
mod readme;
mod steps;

use crate::{
    checkout,
    job::output,
    plan::{Counts, Outcome},
};
use anyhow::{Context, Result};
use std::{fs, path::Path, process::Command};

/// One check: its name, and what it found wrong, one line each.
type Check = (&'static str, fn(&Tree) -> Result<Vec<String>>);

const CHECKS: &[Check] = &[
    ("crates depend only on what the design allows", crates::edges),
    ("Rust files have at most 500 lines", files::length),
    ("no registry's host name outside lock files", files::registries),
    ("no path of somebody's machine", files::machine_paths),
    ("every environment variable stands in the README", readme::variables),
    ("the README names the two commands", readme::commands),
    ("every write has a failpoint that is used", steps::used),
];

/// The files that git tracks.
pub(crate) struct Tree {
    files: Vec<File>,
}

struct File {
    /// Below the checkout, with `/`.
    path: String,
    text: String,
}

impl Tree {
    fn read() -> Result<Self> {
        let root = checkout::root();
        let listed = output(Command::new("git").args(["ls-files", "-z"]).current_dir(root)).context("list the tracked files")?;
        let listed = String::from_utf8(listed.stdout).context("a tracked file's name is not UTF-8")?;
        let files = listed.split_terminator('\0').filter_map(|path| File::read(root, path)).collect();
        Ok(Self { files })
    }

    fn get(&self, path: &str) -> &str {
        self.files.iter().find(|file| file.path == path).map_or("", |file| &file.text)
    }

    fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }
}

impl File {
    /// `None` for what is no text, and for what was deleted and not yet committed.
    fn read(root: &Path, path: &str) -> Option<Self> {
        let text = fs::read_to_string(root.join(path)).ok()?;
        Some(Self { path: path.to_owned(), text })
    }
}

pub(crate) fn run() -> Result<bool> {
    match all()? {
        Outcome::Ran(counts) => {
            println!("{counts}");
            Ok(counts.failed == 0)
        }
        Outcome::Ready | Outcome::Missing(_) => Ok(true),
    }
}

/// All checks; what they find is printed.
pub(crate) fn all() -> Result<Outcome> {
    let tree = Tree::read()?;
    let mut counts = Counts::default();
    for (name, check) in CHECKS {
        let found = check(&tree).with_context(|| (*name).to_owned())?;
        if found.is_empty() {
            counts.passed += 1;
            continue;
        }
        counts.failed += 1;
        println!("      FAILED: {name}");
        for line in found {
            println!("        {line}");
        }
    }
    Ok(Outcome::Ran(counts))
}

#[cfg(test)]
impl Tree {
    fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() });
        Self { files: files.collect() }
    }
}
