//! `*` and `?` in words: names of files that match.

use super::places::{Places, absolute};

/// More names than this are not matched.
const MOST: usize = 1_000;

/// Whether a name matches. Linear in the name for each `*`, without recursion.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((at, from)) = star else { return false };
                star = Some((at, from + 1));
                p = at + 1;
                n = from + 1;
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// The paths that a word matches, sorted; none when it has no `*` or `?`, or nothing matches.
pub(crate) fn paths(places: &Places, cwd: &str, word: &str) -> Vec<String> {
    if !word.contains(['*', '?']) {
        return vec![];
    }
    let mut found = vec![if word.starts_with('/') { "/".to_owned() } else { String::new() }];
    for part in word.split('/').filter(|p| !p.is_empty()) {
        let mut next = Vec::new();
        for base in &found {
            if !part.contains(['*', '?']) {
                let path = format!("{base}{part}/");
                next.extend(places.stat(&absolute(cwd, &path)).is_ok().then_some(path));
                continue;
            }
            let names = places.names(&absolute(cwd, base));
            let seen = names.iter().filter(|n| part.starts_with('.') || !n.starts_with('.'));
            next.extend(seen.filter(|n| matches(part, n)).map(|n| format!("{base}{n}/")));
        }
        next.truncate(MOST);
        found = next;
    }
    found.iter().map(|p| p.trim_end_matches('/').to_owned()).collect()
}
