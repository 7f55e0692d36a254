use super::*;
use serde_json::json;

fn entry(name: &str, version: u64) -> Entry {
    let kind = crate::registry::Registry::builtin().of_table("configmaps").expect("a kind");
    let object = json!({"metadata": {"name": name, "namespace": "a", "resourceVersion": version.to_string()}});
    Entry::new(&kind, &object, version)
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
        assert_eq!(held.objects[0].1, 6);
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
    let held = Held { version: 99, objects: vec![("configmaps".to_owned(), 99, entry("x", 99).json)] };
    log.shorten(&held).expect("shortened");
    assert!(std::fs::metadata(&path).expect("a file").len() < before / 10);
    log.put("configmaps", &entry("y", 100)).expect("written");
    let (_, held) = Log::open(&path).expect("opens again");
    assert_eq!((held.version, held.objects.len()), (100, 2));
}
