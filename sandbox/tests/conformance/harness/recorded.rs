//! Recordings: `recorded/AREA.json` maps each case to its transcript.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Mutex;

use serde_json::{Map, Value};

/// Set together with a real server: its answers are written down instead of compared.
pub(super) const RECORD: &str = "KUBEKCLOUD_CONFORMANCE_RECORD";

/// A value that fits into this many characters stays on one line.
const WIDTH: usize = 150;

/// Tests of one area write the same file at the same time.
static WRITING: Mutex<()> = Mutex::new(());

fn path(area: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/conformance/recorded/{area}.json"))
}

fn all(area: &str) -> Map<String, Value> {
    match std::fs::read(path(area)) {
        Ok(text) => serde_json::from_slice(&text).expect("a recording"),
        Err(_) => Map::new(),
    }
}

pub(crate) fn names(area: &str) -> Vec<String> {
    all(area).into_iter().map(|(name, _)| name).collect()
}

pub(super) fn read(area: &str, case: &str) -> Option<Value> {
    all(area).remove(case)
}

pub(super) fn write(area: &str, case: &str, transcript: &Value) {
    let _writing = WRITING.lock().expect("nobody panics here");
    let mut cases = all(area);
    cases.insert(case.to_owned(), transcript.clone());
    let known = crate::cases::AREAS.iter().find(|(name, _)| *name == area).map_or(&[][..], |(_, names)| names);
    cases.retain(|name, _| known.contains(&name.as_str()));
    // Others read it meanwhile: it must be whole at every moment.
    let beside = path(area).with_extension("new");
    std::fs::write(&beside, pretty(&Value::Object(cases)) + "\n").expect("the recording is written");
    std::fs::rename(beside, path(area)).expect("the recording is put in place");
}

/// JSON for reviewers: what is small stays on one line, and keys are in order.
pub(super) fn pretty(value: &Value) -> String {
    let mut out = String::new();
    put(&mut out, value, 0);
    out
}

fn put(out: &mut String, value: &Value, depth: usize) {
    let short = value.to_string();
    let pad = " ".repeat(depth + 1);
    let whole = depth > 0 && short.len() + depth <= WIDTH;
    match value {
        Value::Object(map) if !whole && !map.is_empty() => {
            out.push_str("{\n");
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            for (index, key) in keys.into_iter().enumerate() {
                let comma = if index == 0 { "" } else { ",\n" };
                let _ = write!(out, "{comma}{pad}{}: ", Value::String(key.clone()));
                put(out, &map[key], depth + 1);
            }
            let _ = write!(out, "\n{}}}", " ".repeat(depth));
        }
        Value::Array(list) if !whole && !list.is_empty() => {
            out.push_str("[\n");
            for (index, item) in list.iter().enumerate() {
                let comma = if index == 0 { "" } else { ",\n" };
                let _ = write!(out, "{comma}{pad}");
                put(out, item, depth + 1);
            }
            let _ = write!(out, "\n{}]", " ".repeat(depth));
        }
        _ => out.push_str(&short),
    }
}
