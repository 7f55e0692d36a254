//! What differs between two transcripts, and which differences `docs/sandbox-differences.md` lists.
//!
//! Its tables' rows are `` | `area::case`, ... | `path`, ... | reason | ``. A path is a JSON pointer into the transcript
//! (the step from 0, then `code`, `body`, `events`, `value`, `warnings` or `type`); `*` stands for one segment, a final
//! `**` for any number.

use std::fmt;

use serde_json::Value;

/// One place in which two transcripts differ.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) path: String,
    recorded: Option<Value>,
    found: Option<Value>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |v: &Option<Value>| v.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
        write!(f, "  {}\n    recorded {}\n    found    {}", self.path, show(&self.recorded), show(&self.found))
    }
}

pub(super) fn between(recorded: &Value, found: &Value) -> Vec<Difference> {
    let mut out = Vec::new();
    compare("", Some(recorded), Some(found), &mut out);
    out
}

fn compare(path: &str, recorded: Option<&Value>, found: Option<&Value>, out: &mut Vec<Difference>) {
    let under = |key: &str| format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
    match (recorded, found) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            for key in a.keys().chain(b.keys().filter(|k| !a.contains_key(*k))) {
                compare(&under(key), a.get(key), b.get(key), out);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for index in 0..a.len().max(b.len()) {
                compare(&under(&index.to_string()), a.get(index), b.get(index), out);
            }
        }
        (a, b) if a == b => {}
        (a, b) => out.push(Difference { path: path.trim_start_matches('/').to_owned(), recorded: a.cloned(), found: b.cloned() }),
    }
}

/// A listed path.
#[derive(Debug, Clone)]
pub(super) struct Pattern(String);

impl Pattern {
    pub(super) fn covers(&self, path: &str) -> bool {
        let (mut wanted, mut here) = (self.0.split('/'), path.split('/'));
        loop {
            match (wanted.next(), here.next()) {
                (Some("**"), Some(_)) | (None, None) => return true,
                (Some(w), Some(h)) if w == "*" || w == h => {}
                _ => return false,
            }
        }
    }
}

/// One row of the document.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) cases: Vec<String>,
    paths: Vec<Pattern>,
    pub(crate) reason: String,
}

pub(crate) fn rows() -> Vec<Row> {
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/sandbox-differences.md");
    let text = std::fs::read_to_string(document).expect("docs/sandbox-differences.md");
    text.lines().filter(|line| line.starts_with("| `")).map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.trim().trim_matches('|').splitn(3, " | ").collect();
    let [cases, paths, reason] = cells[..] else { panic!("not a row of three cells: {line}") };
    let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    Row { cases: quoted(cases), paths: quoted(paths).into_iter().map(Pattern).collect(), reason: reason.trim().to_owned() }
}

/// What is listed for a case.
pub(super) fn listed(case: &str) -> Vec<Pattern> {
    rows().into_iter().filter(|row| row.cases.iter().any(|c| c == case)).flat_map(|row| row.paths).collect()
}

#[test]
fn a_pattern_covers_one_segment_or_the_rest() {
    let covers = |pattern: &str, path: &str| Pattern(pattern.to_owned()).covers(path);
    assert!(covers("1/body/*/name", "1/body/metadata/name") && covers("1/**", "1/body/x") && covers("0/code", "0/code"));
    assert!(!covers("1/body/*", "1/body/metadata/name") && !covers("1/**", "2/body") && !covers("0/code", "0"));
}

#[test]
fn a_row_says_cases_paths_and_why() {
    let row = row("| `a::x`, `a::y` | `0/body/**` | Because of \"a | b\" it can't. |");
    assert_eq!((row.cases.len(), row.paths.len(), row.reason.as_str()), (2, 1, "Because of \"a | b\" it can't."));
    let found = between(&serde_json::json!([{"code": 1, "a": [1, 2]}]), &serde_json::json!([{"code": 2, "a": [1]}]));
    assert_eq!(found.iter().map(|d| d.path.as_str()).collect::<Vec<_>>(), ["0/a/1", "0/code"]);
}
