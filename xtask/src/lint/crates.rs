//! Who may use whom. A wrong edge is the first step of every tangle, so it does not pass.

use super::Tree;
use crate::{checkout, job::output};
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Directory of a crate, the crates of ours that it may use, and others' that it must not use itself.
/// Dev-dependencies are free: a test may use what it likes.
const ALLOWED: &[(&str, &[&str], &[&str])] = &[
    ("types", &[], &["tokio", "axum", "kube", "sea-orm", "reqwest"]),
    ("wire", &["types"], &["tokio", "axum", "kube", "sea-orm", "reqwest"]),
    ("store", &["types"], &["axum", "kube"]),
    ("members", &["types"], &["axum", "sea-orm"]),
    ("app", &["types", "wire", "store", "members"], &["axum", "kube", "sea-orm"]),
    // Every write of reconciling goes through `store` and `members`: see `steps.rs`.
    ("reconcile", &["types", "store", "members"], &["axum", "kube", "sea-orm"]),
    ("api", &["types", "wire", "app"], &["kube", "sea-orm"]),
    ("kubekcloud", &["types", "wire", "store", "members", "app", "reconcile", "api", "sandbox"], &["kube", "sea-orm"]),
    // The neighbours' house uses nothing of ours.
    ("sandbox", &["shell"], &["kube", "sea-orm"]),
    ("shell", &[], &["kube", "sea-orm", "hyper", "serde_json"]),
    // Tasks see the product from outside, as its users do.
    ("xtask", &[], &["sea-orm"]),
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

pub(super) fn edges(_: &Tree) -> Result<Vec<String>> {
    let metadata = output(checkout::cargo().args(["metadata", "--format-version", "1", "--no-deps", "--offline"]))?;
    wrong(&String::from_utf8_lossy(&metadata.stdout))
}

fn wrong(metadata: &str) -> Result<Vec<String>> {
    let Metadata { packages } = serde_json::from_str(metadata).context("understand cargo metadata")?;
    let ours: BTreeMap<&str, &str> = packages.iter().map(|package| (package.name.as_str(), directory(package))).collect();
    let mut found = Vec::new();
    for package in &packages {
        let user = directory(package);
        let Some((_, allowed, forbidden)) = ALLOWED.iter().find(|(name, _, _)| *name == user) else {
            found.push(format!("{user} is not in the table of xtask/src/lint/crates.rs"));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|dependency| dependency.kind.as_deref() != Some("dev")) {
            let wrong = match ours.get(dependency.name.as_str()) {
                Some(used) => !allowed.contains(used),
                None => forbidden.contains(&dependency.name.as_str()),
            };
            if wrong {
                found.push(format!("{user} must not use {}", dependency.name));
            }
        }
    }
    Ok(found)
}

fn directory(package: &Package) -> &str {
    package.manifest_path.rsplit(['/', '\\']).nth(1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::wrong;

    fn package(directory: &str, dependencies: &str) -> String {
        format!(r#"{{"name":"{directory}","manifest_path":"/w/crates/{directory}/Cargo.toml","dependencies":[{dependencies}]}}"#)
    }

    #[test]
    fn an_edge_upwards_is_found() {
        let api = package("api", r#"{"name":"store","kind":null},{"name":"axum","kind":null}"#);
        let store = package("store", r#"{"name":"api","kind":"dev"},{"name":"axum","kind":null}"#);
        let unknown = package("extra", "");
        let found = wrong(&format!(r#"{{"packages":[{api},{store},{unknown}]}}"#)).unwrap();
        assert_eq!(found, ["api must not use store", "store must not use axum", "extra is not in the table of xtask/src/lint/crates.rs"]);
    }
}
