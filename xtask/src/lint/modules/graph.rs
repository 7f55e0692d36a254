//! The modules of a crate, and which of them use which.
//!
//! A module is named by its path within the crate, as in `server::store`; the crate's own is "". What a module imports
//! from another that only passes it on counts as use of where it is from.

use super::source::Source;
use crate::lint::Tree;
use anyhow::{Context, Result};
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct Graph {
    modules: BTreeMap<String, Source>,
    /// Who uses whom, both of this crate.
    pub(super) arrows: BTreeSet<(String, String)>,
    /// Who names which word that is not of this crate: other crates, and types.
    pub(super) outside: BTreeSet<(String, String)>,
}

/// More steps from an import to the next than any sane module takes: two globs may pass each other on.
const STEPS: usize = 8;

impl Graph {
    /// Of the crate whose files lie in `dir`, as in `xtask/src`.
    pub(super) fn read(tree: &Tree, dir: &str) -> Result<Self> {
        let mut graph = Self { modules: BTreeMap::new(), arrows: BTreeSet::new(), outside: BTreeSet::new() };
        let mut waiting = vec![String::new()];
        while let Some(module) = waiting.pop() {
            // One that lies elsewhere is none of this check.
            let file = files(dir, &module).into_iter().find_map(|path| {
                let text = tree.find(&path)?;
                Some((path, text))
            });
            let Some((path, text)) = file else { continue };
            let source = Source::parse(text).with_context(|| path)?;
            waiting.extend(source.declared.iter().map(|child| below(&module, child)));
            graph.modules.insert(module, source);
        }
        graph.draw();
        Ok(graph)
    }

    pub(super) fn modules(&self) -> impl Iterator<Item = &str> {
        self.modules.keys().map(String::as_str)
    }

    fn draw(&mut self) {
        let (mut arrows, mut outside) = (BTreeSet::new(), BTreeSet::new());
        for (module, source) in &self.modules {
            let paths = source.imports.iter().map(|import| &import.path).chain(&source.paths);
            for path in paths {
                match self.resolve(module, path, STEPS) {
                    Some(used) if used != *module => _ = arrows.insert((module.clone(), used)),
                    Some(_) => {}
                    None => _ = outside.insert((module.clone(), path[0].clone())),
                }
            }
        }
        (self.arrows, self.outside) = (arrows, outside);
    }

    /// The module that holds what a path within `module` names; `None` when it is not of this crate.
    fn resolve(&self, module: &str, path: &[String], steps: usize) -> Option<String> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(self.walk("", rest, steps)),
            "self" => Some(self.walk(module, rest, steps)),
            "super" if rest.first().is_some_and(|next| next == "super") => self.resolve(above(module)?, rest, steps),
            "super" => Some(self.walk(above(module)?, rest, steps)),
            name if self.modules.contains_key(&below(module, name)) => Some(self.walk(module, path, steps)),
            name => {
                let imported = self.imported(module, name).filter(|imported| imported[0] != *name)?;
                self.resolve(module, &[imported, rest].concat(), steps.checked_sub(1)?)
            }
        }
    }

    /// Down from a module, by names of modules and of what they pass on.
    fn walk(&self, module: &str, path: &[String], steps: usize) -> String {
        let Some((first, rest)) = path.split_first() else { return module.to_owned() };
        let child = below(module, first);
        if self.modules.contains_key(&child) {
            return self.walk(&child, rest, steps);
        }
        let passed_on = self.imported(module, first).zip(steps.checked_sub(1));
        // What is passed on from another crate is had from here.
        passed_on.and_then(|(imported, steps)| self.resolve(module, &[imported, rest].concat(), steps)).unwrap_or_else(|| module.to_owned())
    }

    fn imported(&self, module: &str, name: &str) -> Option<&[String]> {
        let imports = &self.modules.get(module)?.imports;
        imports.iter().find(|import| import.name.as_deref() == Some(name)).map(|import| &*import.path)
    }
}

/// Where a module may lie.
fn files(dir: &str, module: &str) -> Vec<String> {
    if module.is_empty() {
        return vec![format!("{dir}/lib.rs"), format!("{dir}/main.rs")];
    }
    let path = module.replace("::", "/");
    vec![format!("{dir}/{path}.rs"), format!("{dir}/{path}/mod.rs")]
}

pub(super) fn below(module: &str, child: &str) -> String {
    if module.is_empty() { child.to_owned() } else { format!("{module}::{child}") }
}

pub(super) fn above(module: &str) -> Option<&str> {
    if module.is_empty() { None } else { Some(module.rsplit_once("::").map_or("", |(parent, _)| parent)) }
}

/// Whether a module is another one, or lies in it.
pub(super) fn within(module: &str, outer: &str) -> bool {
    outer.is_empty() || module.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}
