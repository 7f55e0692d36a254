//! `cargo xtask lint`: what we hold ourselves to and no compiler checks.

mod crates;
mod deny;
mod files;
mod modules;
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
    ("no circle between files or folders", modules::circles),
    ("folders of the sandbox use only those below them", modules::floors),
    ("Rust files have at most 400 lines, 500 with tests", files::length),
    ("the sandbox has at most 20,000 lines outside its tests", files::sandbox_size),
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

    fn find(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path).map(|file| &*file.text)
    }

    fn get(&self, path: &str) -> &str {
        self.find(path).unwrap_or_default()
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

/// What a check came to.
enum Verdict {
    /// What is wrong, one line each.
    Found(Vec<String>),
    /// It could not be asked here, and why.
    Skipped(String),
}

/// All checks; what they find is printed.
pub(crate) fn all() -> Result<Outcome> {
    let tree = Tree::read()?;
    let ours = CHECKS.iter().map(|(name, check)| {
        let found = check(&tree).with_context(|| (*name).to_owned())?;
        Ok((*name, Verdict::Found(found)))
    });
    let mut verdicts = ours.collect::<Result<Vec<_>>>()?;
    verdicts.extend(deny::verdicts()?);
    let mut counts = Counts::default();
    for (name, verdict) in verdicts {
        match verdict {
            Verdict::Found(found) if found.is_empty() => counts.passed += 1,
            Verdict::Found(found) => {
                counts.failed += 1;
                println!("      FAILED: {name}");
                for line in found {
                    println!("        {line}");
                }
            }
            Verdict::Skipped(why) => {
                counts.skipped += 1;
                println!("      SKIPPED: {name}: {why}");
            }
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
