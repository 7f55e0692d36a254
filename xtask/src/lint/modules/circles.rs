//! No circle between the modules that one module holds, be they files or folders.
//!
//! A folder uses what any file in it uses. A file and the `mod.rs` above it are no circle: that the one declares the
//! other, which uses its types, is how Rust is written.

use super::graph::{Graph, above, within};
use std::collections::{BTreeMap, BTreeSet};

/// A circle that stays.
pub(super) struct Listed {
    /// The crate's directory, as in `xtask/src`, and the module within it that holds the members.
    pub(super) dir: &'static str,
    pub(super) module: &'static str,
    /// All that are in it.
    pub(super) members: &'static [&'static str],
    pub(super) reason: &'static str,
}

/// Arrows between the direct members of one module, each with the two files for it.
type Arrows<'g> = BTreeMap<&'g str, BTreeMap<&'g str, (&'g str, &'g str)>>;

/// The circles of a crate that are not listed, and what is listed and no circle any more.
pub(super) fn find(graph: &Graph, dir: &str, listed: &[Listed]) -> Vec<String> {
    let mut holders: BTreeMap<&str, Arrows<'_>> = BTreeMap::new();
    for (user, used) in &graph.arrows {
        if let Some((holder, from, to)) = between(user, used) {
            holders.entry(holder).or_default().entry(from).or_default().entry(to).or_insert((user, used));
        }
    }
    let mut found = Vec::new();
    let mut met = BTreeSet::new();
    for (holder, arrows) in &holders {
        for circle in circles(arrows) {
            let members: BTreeSet<&str> = circle.members.iter().map(|member| last(member)).collect();
            let is_this = |l: &Listed| l.dir == dir && l.module == *holder && members == l.members.iter().copied().collect();
            match listed.iter().position(is_this) {
                Some(row) => _ = met.insert(row),
                None => found.push(told(dir, &circle.way, arrows)),
            }
        }
    }
    let gone = listed.iter().enumerate().filter(|(row, l)| l.dir == dir && !met.contains(row));
    found.extend(gone.map(|(_, l)| format!("{dir}: {} of {} are listed as a circle and are none ({})", l.members.join(", "), l.module, l.reason)));
    found
}

/// Which members of which module an arrow goes between; `None` when one of the two holds the other.
fn between<'g>(user: &'g str, used: &'g str) -> Option<(&'g str, &'g str, &'g str)> {
    let mut from = user;
    loop {
        let holder = above(from)?;
        if within(used, holder) {
            return if used == holder { None } else { Some((holder, from, member(used, holder))) }.filter(|(_, from, to)| from != to);
        }
        from = holder;
    }
}

/// The direct member of `holder` that holds `module`.
fn member<'g>(module: &'g str, holder: &str) -> &'g str {
    let skipped = if holder.is_empty() { 0 } else { holder.len() + 2 };
    let end = module[skipped..].find("::").map_or(module.len(), |length| skipped + length);
    &module[..end]
}

/// Members that all reach each other, and a shortest way from one of them back to it.
struct Circle<'g> {
    members: Vec<&'g str>,
    way: Vec<&'g str>,
}

fn circles<'g>(arrows: &Arrows<'g>) -> Vec<Circle<'g>> {
    let mut found = Vec::new();
    let mut done = BTreeSet::new();
    for start in arrows.keys() {
        if done.contains(start) {
            continue;
        }
        if let Some(way) = way_back(arrows, start) {
            let leads_back = |member: &&str| reached(arrows, member).contains(start);
            let members: Vec<&str> = reached(arrows, start).into_iter().filter(leads_back).collect();
            done.extend(members.iter().copied());
            found.push(Circle { members, way });
        }
    }
    found
}

/// The shortest way from a member to itself.
fn way_back<'g>(arrows: &Arrows<'g>, start: &'g str) -> Option<Vec<&'g str>> {
    let mut ways = vec![vec![start]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in way.last().and_then(|last| arrows.get(last)).into_iter().flat_map(BTreeMap::keys) {
                if *next == start {
                    return Some(way);
                }
                if seen.insert(*next) {
                    longer.push([&way[..], &[next]].concat());
                }
            }
        }
        ways = longer;
    }
    None
}

fn reached<'g>(arrows: &Arrows<'g>, start: &str) -> BTreeSet<&'g str> {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![start];
    while let Some(member) = waiting.pop() {
        for next in arrows.get(member).into_iter().flat_map(BTreeMap::keys) {
            if seen.insert(*next) {
                waiting.push(next);
            }
        }
    }
    seen
}

fn told(dir: &str, circle: &[&str], arrows: &Arrows<'_>) -> String {
    let names: Vec<&str> = circle.iter().chain(circle.first()).copied().collect();
    let because = names.windows(2).filter_map(|pair| arrows.get(pair[0])?.get(pair[1])).map(|(user, used)| format!("{user} uses {used}"));
    format!("{dir}: {} ({})", names.join(" -> "), because.collect::<Vec<_>>().join("; "))
}

fn last(module: &str) -> &str {
    module.rsplit("::").next().unwrap_or(module)
}
