//! What no tracked file may hold.

use super::Tree;
use anyhow::Result;

/// A longer file is two files.
const LINES: usize = 500;

/// Written apart, or this file would be found.
const REGISTRIES: &[&str] = &[
    concat!("crates", ".io"),
    concat!("registry.npmjs", ".org"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("proxy.golang", ".org"),
    concat!("sum.golang", ".org"),
    concat!("deb.debian", ".org"),
];

/// Lock files are written by tools, which put the registry in.
const LOCK_FILES: &[&str] = &["Cargo.lock", "go.sum", "package-lock.json"];

const MACHINE: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

/// The reader's own home, in examples.
const READERS_HOME: &str = "you/";

/// Before such a path stands none of these, or it is a part of another: `example/home/x`.
const INSIDE: fn(char) -> bool = |before| before.is_alphanumeric() || matches!(before, '.' | '_' | '-' | '/' | '}' | '~' | '*');

pub(super) fn length(tree: &Tree) -> Result<Vec<String>> {
    let long = tree.rust().filter_map(|file| {
        let lines = file.text.lines().count();
        (lines > LINES).then(|| format!("{}: {lines} lines", file.path))
    });
    Ok(long.collect())
}

pub(super) fn registries(tree: &Tree) -> Result<Vec<String>> {
    Ok(lines_with(tree, |line| REGISTRIES.iter().any(|host| line.contains(host))))
}

pub(super) fn machine_paths(tree: &Tree) -> Result<Vec<String>> {
    Ok(lines_with(tree, |line| {
        MACHINE
            .iter()
            .any(|path| line.match_indices(path).any(|(at, _)| !line[..at].ends_with(INSIDE) && !line[at + path.len()..].starts_with(READERS_HOME)))
    }))
}

fn lines_with(tree: &Tree, wrong: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for file in &tree.files {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        if LOCK_FILES.contains(&name) {
            continue;
        }
        let wrong = file.text.lines().enumerate().filter(|(_, line)| wrong(line));
        found.extend(wrong.map(|(number, line)| format!("{}:{}: {}", file.path, number + 1, line.trim())));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_are_found() {
        let tree = Tree::of(&[("a.rs", &"x\n".repeat(LINES)), ("b.rs", &"x\n".repeat(LINES + 1)), ("c.md", &"x\n".repeat(LINES + 1))]);
        assert_eq!(length(&tree).unwrap(), ["b.rs: 501 lines"]);
    }

    #[test]
    fn registries_may_stand_in_lock_files_only() {
        let line = format!("see https://{}/x", REGISTRIES[0]);
        let tree = Tree::of(&[("Cargo.lock", &line), ("docs/a.md", &line)]);
        assert_eq!(registries(&tree).unwrap(), [format!("docs/a.md:1: {line}")]);
    }

    #[test]
    fn paths_of_a_machine_are_found_but_not_parts_of_others() {
        let text = format!("a {0}me\nhttp://host{0}me\n\"{1}x\"\n{0}you/x\n", MACHINE[2], MACHINE[1]);
        let found = machine_paths(&Tree::of(&[("a.rs", &text)])).unwrap();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("a.rs:1:") && found[1].starts_with("a.rs:3:"));
    }
}
