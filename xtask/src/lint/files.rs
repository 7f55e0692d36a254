//! What no tracked file may hold.

use super::{File, Tree};
use anyhow::Result;

/// A longer file is two files. Its tests at the end don't count.
const LINES: usize = 400;
/// Of tests, and of a file with its tests.
const LINES_WITH_TESTS: usize = 500;

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
        let code = code_lines(file);
        (code > LINES || lines > LINES_WITH_TESTS).then(|| format!("{}: {lines} lines, {code} of them outside tests", file.path))
    });
    Ok(long.collect())
}

/// Lines of the sandbox's Rust outside its tests: it stops growing (docs/adr/0005-a-sandbox-of-our-own.md).
const SANDBOX_LINES: usize = 20_000;

pub(super) fn sandbox_size(tree: &Tree) -> Result<Vec<String>> {
    let lines: usize = tree.rust().filter(|file| file.path.starts_with("sandbox/")).map(code_lines).sum();
    Ok((lines > SANDBOX_LINES).then(|| format!("it has {lines}")).into_iter().collect())
}

/// Lines before the tests at a file's end; none of a file of nothing but tests.
fn code_lines(file: &File) -> usize {
    if is_test(&file.path) { 0 } else { file.text.lines().take_while(|line| *line != "#[cfg(test)]").count() }
}

/// A file of nothing but tests, by its name.
fn is_test(path: &str) -> bool {
    path.ends_with("_tests.rs") || path.ends_with("/tests.rs") || path.starts_with("tests/") || path.contains("/tests/")
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
        let lines = |count: usize| "x\n".repeat(count);
        let with_tests = |code: usize, tests: usize| format!("{}#[cfg(test)]\n{}", lines(code), lines(tests));
        let files = [
            ("a.rs", lines(LINES)),
            ("b.rs", lines(LINES + 1)),
            ("c.md", lines(LINES_WITH_TESTS + 1)),
            ("d/tests/e.rs", lines(LINES_WITH_TESTS)),
            ("d_tests.rs", lines(LINES_WITH_TESTS + 1)),
            ("f.rs", with_tests(LINES, 99)),
            ("g.rs", with_tests(LINES, 100)),
        ];
        let tree = Tree::of(&files.each_ref().map(|(path, text)| (*path, text.as_str())));
        assert_eq!(
            length(&tree).unwrap(),
            [
                "b.rs: 401 lines, 401 of them outside tests",
                "d_tests.rs: 501 lines, 0 of them outside tests",
                "g.rs: 501 lines, 400 of them outside tests"
            ]
        );
    }

    #[test]
    fn the_sandbox_does_not_grow_but_its_tests_may() {
        let long = |lines: usize| "x\n".repeat(lines);
        let (code, tests) = (long(SANDBOX_LINES), format!("x\n#[cfg(test)]\n{}", long(SANDBOX_LINES)));
        let tree = |more| {
            Tree::of(&[("sandbox/src/a.rs", &code), ("sandbox/tests/it/a.rs", &code), ("crates/app/src/a.rs", &code), ("sandbox/src/b.rs", more)])
        };
        assert!(sandbox_size(&tree("")).unwrap().is_empty());
        assert_eq!(sandbox_size(&tree(&tests)).unwrap(), ["it has 20001"]);
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
