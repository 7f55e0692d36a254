//! The README must not fall behind the program.

use super::Tree;
use anyhow::Result;
use std::collections::BTreeSet;

const README: &str = "README.md";
/// Where the binary reads its environment.
const BINARY: &str = "crates/kubekcloud/src/";
/// How it reads a variable: the name follows.
const READS: &[&str] = &["get(\"", "lookup(\"", "var(\"", "var_os(\"", "env = \""];
/// Not the user's to set: failpoints of tests, and what Kubernetes gives to Pods.
const OTHERS: &[&str] = &["KUBEKCLOUD_KILL_AT", "KUBEKCLOUD_STOP_AT", "KUBERNETES_SERVICE_HOST"];

const COMMANDS: &[&str] = &["cargo run --release -- dev", "cargo xtask test"];

pub(super) fn variables(tree: &Tree) -> Result<Vec<String>> {
    let readme = tree.get(README);
    let sources = tree.rust().filter(|file| file.path.starts_with(BINARY));
    let names: BTreeSet<&str> = sources.flat_map(|file| read(&file.text)).collect();
    let missing = names.into_iter().filter(|name| !OTHERS.contains(name) && !readme.contains(&format!("`{name}`")));
    Ok(missing.map(|name| format!("{README} says nothing of `{name}`")).collect())
}

pub(super) fn commands(tree: &Tree) -> Result<Vec<String>> {
    let missing = COMMANDS.iter().filter(|command| !tree.get(README).contains(**command));
    Ok(missing.map(|command| format!("{README} lacks `{command}`")).collect())
}

fn read(source: &str) -> impl Iterator<Item = &str> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    READS.iter().flat_map(move |call| code.split(*call).skip(1)).filter_map(|rest| {
        let (name, _) = rest.split_once('"')?;
        let variable = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        variable.then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_the_readme_lacks_are_found() {
        let source = "get(\"DATABASE_URL\"); #[arg(env = \"LOG_FORMAT\")] map.get(\"key\") #[cfg(test)] get(\"ONLY_IN_TESTS\")";
        let tree = Tree::of(&[("crates/kubekcloud/src/config.rs", source), ("README.md", "| `DATABASE_URL` |")]);
        assert_eq!(variables(&tree).unwrap(), ["README.md says nothing of `LOG_FORMAT`"]);
    }

    #[test]
    fn both_commands_must_be_there() {
        let tree = Tree::of(&[("README.md", "Run `cargo xtask test quick`")]);
        assert_eq!(commands(&tree).unwrap(), ["README.md lacks `cargo run --release -- dev`"]);
    }
}
