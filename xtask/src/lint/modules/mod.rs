//! Who uses whom within a crate.

mod circles;
mod floors;
mod graph;
mod source;

use super::Tree;
use anyhow::Result;
use circles::Listed;
use graph::Graph;

/// Circles that stay, each with its reason.
const LISTED: &[Listed] = &[Listed {
    dir: "sandbox/shell/src",
    module: "interpret",
    members: &["call", "expand", "nested", "redirect", "run"],
    reason: "it is what an interpreter is: a list of commands is run, which expands words, which run commands",
}];

pub(super) fn circles(tree: &Tree) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for dir in crates(tree) {
        found.extend(circles::find(&Graph::read(tree, dir)?, dir, LISTED));
    }
    Ok(found)
}

pub(super) fn floors(tree: &Tree) -> Result<Vec<String>> {
    Ok(floors::find(&Graph::read(tree, floors::DIR)?))
}

/// The directories of all crates' sources.
fn crates(tree: &Tree) -> impl Iterator<Item = &str> {
    let roots = tree.rust().filter_map(|file| file.path.strip_suffix("/lib.rs").or_else(|| file.path.strip_suffix("/main.rs")));
    roots.filter(|dir| dir.ends_with("/src"))
}

#[cfg(test)]
mod tests;
