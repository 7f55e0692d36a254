//! Every write that reconciling does can be crashed at.
//!
//! That no write lacks a failpoint follows from two things. The first is an edge: `reconcile` may use
//! neither `kube` nor `sea-orm` itself (`deny.toml`), so it can write only through the helpers of
//! crates/members and crates/store. The second is a type: each of those takes a `types::Step`, or names its
//! own, and runs between that step's failpoints, so a write without a step does not compile. The crash
//! tests walk all of `Step::ALL`; what is left to check here is that each step is a write which exists:
//! a variant that nothing passes would be walked for nothing.

use super::Tree;
use anyhow::{Result, bail};

const STEPS: &str = "crates/types/src/failpoint.rs";
const USERS: &[&str] = &["crates/reconcile/src/", "crates/members/src/", "crates/store/src/"];

pub(super) fn used(tree: &Tree) -> Result<Vec<String>> {
    let names = variants(tree.get(STEPS));
    if names.is_empty() {
        bail!("no steps in {STEPS}");
    }
    let sources: Vec<&str> = tree
        .rust()
        .filter(|file| USERS.iter().any(|dir| file.path.starts_with(dir)) && !file.path.ends_with("_tests.rs"))
        .map(|file| &*file.text)
        .collect();
    let passed = |name: &str| sources.iter().any(|source| mentions(source, &format!("Step::{name}")));
    Ok(names.into_iter().filter(|name| !passed(name)).map(|name| format!("nothing writes Step::{name}")).collect())
}

/// The names in `steps! { Name = "name", ... }`.
fn variants(source: &str) -> Vec<&str> {
    let Some((_, list)) = source.split_once("\nsteps! {") else { return Vec::new() };
    let list = list.split("\n}").next().unwrap_or_default();
    list.lines().filter_map(|line| line.trim().split_once(" = \"")).map(|(name, _)| name).collect()
}

/// Whether the text holds the word, and not only a longer one.
fn mentions(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| !text[at + word.len()..].starts_with(|next: char| next.is_alphanumeric() || next == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_nothing_writes_is_found() {
        let steps = "macro_rules! steps {}\nsteps! {\n    /// A.\n    PodCreate = \"pod_create\",\n    /// B.\n    Pod = \"pod\",\n}\n";
        let tree = Tree::of(&[(STEPS, steps), ("crates/reconcile/src/a.rs", "writer.create(Step::PodCreate)")]);
        assert_eq!(used(&tree).unwrap(), ["nothing writes Step::Pod"]);
    }
}
