//! Which of our crates may use which. A wrong edge is the first step of every tangle, so it does not pass.
//!
//! Who may use others' crates stands in `deny.toml`, but for those that half the tree uses: it cannot name all their users.

use super::Tree;
use crate::{checkout, job::output};
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeSet;

/// A crate, and the crates of ours that it may use. Dev-dependencies are free: a test may use what it likes.
const ALLOWED: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("wire", &["types"]),
    ("store", &["types"]),
    ("members", &["types"]),
    ("app", &["types", "wire", "store", "members"]),
    // Every write of reconciling goes through `store` and `members`: see `steps.rs`.
    ("reconcile", &["types", "store", "members"]),
    ("api", &["types", "wire", "app"]),
    ("kubekcloud", &["types", "wire", "store", "members", "app", "reconcile", "api", "sandbox"]),
    // The neighbour's house uses nothing of ours.
    ("sandbox", &["shell"]),
    ("shell", &[]),
    // Tasks see the product from outside, as its users do.
    ("xtask", &[]),
];

/// A crate, and others' that it must not use.
const FORBIDDEN: &[(&str, &[&str])] = &[
    // They are data.
    ("types", &["tokio", "hyper"]),
    ("wire", &["tokio", "hyper"]),
    // It knows no Kubernetes.
    ("shell", &["hyper", "serde_json"]),
];

const TABLE: &str = "the table of xtask/src/lint/crates.rs";

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: String,
    targets: Vec<Target>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
    /// What the crate is called where it is used, if not by its name.
    rename: Option<String>,
}

pub(super) fn edges(_: &Tree) -> Result<Vec<String>> {
    let metadata = output(checkout::cargo().args(["metadata", "--format-version", "1", "--no-deps", "--offline"]))?;
    wrong(&String::from_utf8_lossy(&metadata.stdout), ALLOWED)
}

fn wrong(metadata: &str, allowed: &[(&str, &[&str])]) -> Result<Vec<String>> {
    let Metadata { packages } = serde_json::from_str(metadata).context("understand cargo metadata")?;
    let ours: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut found: Vec<String> = packages.iter().flat_map(names).collect();
    for package in &packages {
        let user = package.name.as_str();
        let Some((_, allowed)) = allowed.iter().find(|(name, _)| *name == user) else {
            found.push(format!("{user} is not in {TABLE}"));
            continue;
        };
        let used = package.dependencies.iter().filter(|dependency| dependency.kind.as_deref() != Some("dev"));
        let forbidden = |used: &str| FORBIDDEN.iter().any(|(name, forbidden)| *name == user && forbidden.contains(&used));
        let wrong =
            used.map(|dependency| dependency.name.as_str()).filter(|used| (ours.contains(used) && !allowed.contains(used)) || forbidden(used));
        found.extend(wrong.map(|used| format!("{user} must not use {used}")));
    }
    let named = allowed.iter().flat_map(|(user, used)| [user].into_iter().chain(used.iter()));
    let missing: BTreeSet<&str> = named.copied().filter(|name| !ours.contains(name)).collect();
    found.extend(missing.into_iter().map(|name| format!("{TABLE} names {name}, which is no crate")));
    Ok(found)
}

/// Folder, package and library have one name, also where they are used: else no drawing of imports finds them.
fn names(package: &Package) -> Vec<String> {
    let Package { name, manifest_path, targets, dependencies } = package;
    let folder = manifest_path.rsplit(['/', '\\']).nth(1).unwrap_or_default();
    let mut found = Vec::new();
    if folder != name {
        found.push(format!("the package {name} lies in the folder {folder}"));
    }
    let library = targets.iter().find(|target| target.kind.iter().any(|kind| kind == "lib")).filter(|library| library.name != *name);
    found.extend(library.map(|library| format!("the library of {name} is called {}", library.name)));
    let renamed = dependencies.iter().filter_map(|dependency| dependency.rename.as_ref().map(|rename| (&dependency.name, rename)));
    found.extend(renamed.map(|(used, rename)| format!("{name} calls {used} {rename}")));
    found
}

#[cfg(test)]
mod tests {
    use super::{ALLOWED, FORBIDDEN, wrong};

    fn package(name: &str, library: &str, dependencies: &str) -> String {
        let target = format!(r#"{{"name":"{library}","kind":["lib"]}}"#);
        format!(r#"{{"name":"{name}","manifest_path":"/w/crates/{name}/Cargo.toml","targets":[{target}],"dependencies":[{dependencies}]}}"#)
    }

    fn found(packages: &[String], allowed: &[(&str, &[&str])]) -> Vec<String> {
        wrong(&format!(r#"{{"packages":[{}]}}"#, packages.join(",")), allowed).unwrap()
    }

    #[test]
    fn an_edge_upwards_is_found() {
        let api = package("api", "api", r#"{"name":"store","kind":null},{"name":"axum","kind":null}"#);
        let store = package("store", "store", r#"{"name":"api","kind":"dev"}"#);
        let types = package("types", "types", r#"{"name":"tokio","kind":null}"#);
        assert_eq!(
            found(&[api, store, types], &[("api", &[]), ("store", &[]), ("types", &[])]),
            ["api must not use store", "types must not use tokio"]
        );
    }

    #[test]
    fn the_table_names_all_crates_and_no_others() {
        let store = package("store", "store", "");
        let table: &[(&str, &[&str])] = &[("api", &["wire"])];
        let line = "the table of xtask/src/lint/crates.rs";
        assert_eq!(
            found(&[store], table),
            [format!("store is not in {line}"), format!("{line} names api, which is no crate"), format!("{line} names wire, which is no crate")]
        );
    }

    #[test]
    fn what_is_forbidden_is_forbidden_to_a_crate_that_is_there() {
        assert!(FORBIDDEN.iter().all(|(name, _)| ALLOWED.iter().any(|(known, _)| known == name)));
    }

    #[test]
    fn a_crate_has_one_name() {
        let store = package("store", "kubekcloud_store", r#"{"name":"types","kind":"dev","rename":"kinds"}"#);
        let moved = package("api", "api", "").replace("/w/crates/api/", "/w/crates/http/");
        let table: &[(&str, &[&str])] = &[("store", &[]), ("api", &[])];
        assert_eq!(
            found(&[store, moved], table),
            ["the library of store is called kubekcloud_store", "store calls types kinds", "the package api lies in the folder http"]
        );
    }
}
