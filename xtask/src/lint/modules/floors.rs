//! The floors of the sandbox: which of its folders may use which.
//!
//! They are those of Kubernetes itself. What an object is knows neither who stores it nor who acts on it; the server
//! knows neither node nor simulator, which plug in by its traits; the simulator may use all, as a controller may ask
//! anybody.

use super::graph::{Graph, within};

pub(super) const DIR: &str = "sandbox/src";

/// A folder, and those that it may use besides itself. One that is named stands for all that is in it.
const MAY_USE: &[(&str, &[&str])] = &[
    ("machinery::notation", &[]),
    ("machinery::crd", &["machinery::notation"]),
    ("machinery::registry", &["machinery::notation", "machinery::crd"]),
    ("machinery::status", &["machinery::notation", "machinery::registry"]),
    ("machinery::fields", &["machinery::notation", "machinery::registry"]),
    ("machinery::select", &["machinery::notation", "machinery::registry", "machinery::status"]),
    ("machinery::admit", &["machinery::notation", "machinery::crd", "machinery::registry", "machinery::status"]),
    // What a start may fail of.
    ("error", &[]),
    ("server::store", &["machinery", "error"]),
    ("server::cluster", &["machinery", "server::store", "error"]),
    ("server::http", &["machinery", "server::store", "server::cluster"]),
    ("node", &["machinery", "server"]),
    ("simulator", &["machinery", "server", "node", "error"]),
    // What is kept between two starts.
    ("identity", &["error"]),
    ("files", &["error", "identity"]),
];

/// Another crate, and the folders that may name it.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("shell", &["node"]),
    // What an object is needs no task, no socket and no files.
    ("tokio", &["server", "node", "simulator"]),
    ("hyper", &["server::http", "node"]),
];

pub(super) fn find(graph: &Graph) -> Vec<String> {
    wrong(graph, MAY_USE, MAY_NAME)
}

pub(super) fn wrong(graph: &Graph, may_use: &[(&str, &[&str])], may_name: &[(&str, &[&str])]) -> Vec<String> {
    let row = |module: &str| may_use.iter().filter(|(folder, _)| within(module, folder)).max_by_key(|(folder, _)| folder.len());
    let mut found = Vec::new();
    for (folder, _) in may_use.iter().filter(|(folder, _)| !graph.modules().any(|module| module == *folder)) {
        found.push(format!("{folder} stands in the table of xtask/src/lint/modules/floors.rs, and is not there"));
    }
    for (user, used) in graph.arrows.iter().filter(|(user, used)| !user.is_empty() && !within(used, user)) {
        match row(user) {
            None => found.push(format!("{user} is not in the table of xtask/src/lint/modules/floors.rs")),
            Some((floor, _)) if !used.is_empty() && within(used, floor) => {}
            // What a folder holds may use the types of its own `mod.rs`.
            Some(_) if !used.is_empty() && within(user, used) => {}
            Some((_, allowed)) if allowed.iter().any(|folder| within(used, folder)) => {}
            Some((floor, _)) => found.push(format!("{floor} must not use {}: {user} does", if used.is_empty() { "lib.rs" } else { used })),
        }
    }
    for (user, name) in &graph.outside {
        let Some((_, allowed)) = may_name.iter().find(|(foreign, _)| foreign == name) else { continue };
        if !user.is_empty() && !allowed.iter().any(|folder| within(user, folder)) {
            found.push(format!("{user} must not use the crate {name}"));
        }
    }
    found.sort();
    found.dedup();
    found
}
