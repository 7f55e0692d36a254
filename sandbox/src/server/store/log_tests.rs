use super::super::pack::Packer;
use super::*;
use serde_json::{Value, json};

fn object(name: &str, version: u64) -> Value {
    json!({"metadata": {"name": name, "namespace": "a", "uid": name, "labels": {"a": "b"}, "resourceVersion": version.to_string()}})
}

fn packed(name: &str, version: u64, packer: &mut Packer) -> Entry {
    let kind = crate::machinery::registry::Registry::builtin().of_table("configmaps").expect("a kind");
    Entry::new(&kind, &object(name, version), version, packer, None)
}

fn entry(name: &str, version: u64) -> Entry {
    packed(name, version, &mut Packer::default())
}

#[test]
fn what_was_written_is_there_again_and_what_was_removed_is_not() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("objects.jsonl");
    let (mut log, held) = Log::open(&path).expect("opens");
    assert_eq!(held.version, 0);
    log.put("configmaps", &entry("x", 5)).expect("written");
    log.put("configmaps", &entry("y", 6)).expect("written");
    log.remove("configmaps", &Key::new("a", "x"), 7).expect("written");
    drop(log);
    for _ in 0..2 {
        let (_, held) = Log::open(&path).expect("opens again");
        assert_eq!(held.version, 7);
        assert_eq!(held.objects.len(), 1);
        let (table, entry) = &held.objects[0];
        assert_eq!((&**table, &*entry.key.name, entry.version, &entry.value()), ("configmaps", "y", 6, &object("y", 6)));
    }
}

#[test]
fn a_torn_last_line_is_dropped_and_a_broken_one_inside_is_an_error() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("objects.jsonl");
    let whole = r#"{"v":3,"t":"configmaps","ns":"a","n":"x","o":{"metadata":{"name":"x","namespace":"a"}}}"#;
    std::fs::write(&path, format!("{whole}\n{}", &whole[..40])).expect("written");
    let (_, held) = Log::open(&path).expect("tolerates the torn line");
    assert_eq!((held.version, held.objects.len()), (3, 1));
    std::fs::write(&path, format!("{}\n{whole}\n", &whole[..40])).expect("written");
    assert!(matches!(Log::open(&path), Err(Error::Log { line: 1, .. })));
}

#[test]
fn a_shortened_log_holds_the_same_and_goes_on() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("objects.jsonl");
    let (mut log, _) = Log::open(&path).expect("opens");
    for version in 1..100 {
        log.put("configmaps", &entry("x", version)).expect("written");
    }
    let before = std::fs::metadata(&path).expect("a file").len();
    let held = entry("x", 99);
    log.shorten(99, std::iter::once(("configmaps", &held))).expect("shortened");
    assert!(std::fs::metadata(&path).expect("a file").len() < before / 10);
    log.put("configmaps", &entry("y", 100)).expect("written");
    let (_, held) = Log::open(&path).expect("opens again");
    assert_eq!((held.version, held.objects.len()), (100, 2));
}

#[test]
fn packed_objects_their_index_and_their_dictionaries_come_back_also_after_compaction() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("objects.jsonl");
    let (mut log, _) = Log::open(&path).expect("opens");
    let mut packer = Packer::default();
    for version in 1..20 {
        log.put("configmaps", &packed(&format!("c{version}"), version, &mut packer)).expect("written");
    }
    for _ in 0..2 {
        let (mut log, held) = Log::open(&path).expect("opens again");
        assert!(!held.dictionaries.is_empty());
        assert_eq!(held.objects.len(), 19);
        for (_, entry) in &held.objects {
            assert_eq!(entry.value(), object(&entry.key.name, entry.version));
            assert_eq!((entry.label("a"), &*entry.uid), (Some("b"), &*entry.key.name));
        }
        let objects = held.objects.iter().map(|(table, entry)| (&**table, entry));
        log.shorten(held.version, objects).expect("shortened");
    }
}

#[test]
fn a_line_whose_text_is_not_what_was_packed_is_an_error() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("objects.jsonl");
    let line = r#"{"v":3,"t":"configmaps","ns":"a","n":"x","z":[0,100,"AAAA"]}"#;
    std::fs::write(&path, format!("{line}\n")).expect("written");
    assert!(matches!(Log::open(&path), Err(Error::Log { line: 1, .. })));
}
