use super::*;

fn log_in(dir: &tempfile::TempDir) -> PathBuf {
    dir.path().join("objects.jsonl")
}

fn put(log: &mut Log, name: &str, version: u64) {
    log.put("configmaps", &Key::new("a", name), version, &Text::new(object(name, version).2.as_bytes())).expect("written");
}

/// Names, versions and texts.
fn held(path: &Path) -> (u64, Vec<(String, u64, String)>) {
    let (_, held) = Log::open(path).expect("opens again");
    assert!(held.objects.iter().all(|object| (&*object.table, &*object.key.namespace) == ("configmaps", "a")));
    let text = |object: &Stored| String::from_utf8(object.text.bytes()).expect("text");
    (held.version, held.objects.iter().map(|o| (o.key.name.to_string(), o.version, text(o))).collect())
}

fn object(name: &str, version: u64) -> (String, u64, String) {
    (name.to_owned(), version, format!(r#"{{"data":{{"k":"{version}"}}}}"#))
}

#[test]
fn what_was_written_is_there_again_and_what_was_removed_is_not() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = log_in(&dir);
    let (mut log, none) = Log::open(&path).expect("opens");
    assert_eq!((none.version, none.objects.len()), (0, 0));
    put(&mut log, "x", 5);
    put(&mut log, "y", 6);
    log.remove("configmaps", &Key::new("a", "x"), 7).expect("written");
    drop(log);
    for _ in 0..2 {
        assert_eq!(held(&path), (7, vec![object("y", 6)]));
    }
}

#[test]
fn names_of_any_letters_come_back() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = log_in(&dir);
    let (mut log, _) = Log::open(&path).expect("opens");
    let names = [r#"system:"a"\b"#, "ä", "a\nb"];
    for (name, version) in names.iter().zip(1..) {
        put(&mut log, name, version);
    }
    assert_eq!(held(&path).1.iter().map(|(name, ..)| name.as_str()).collect::<Vec<_>>(), names);
}

#[test]
fn lines_are_json_with_the_object_in_it_as_it_is() {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut log, _) = Log::open(&log_in(&dir)).expect("opens");
    put(&mut log, "x", 5);
    log.remove("configmaps", &Key::new("a", "x"), 6).expect("written");
    let text = std::fs::read_to_string(log_in(&dir)).expect("a file");
    let lines = [
        r#"{"format":2,"version":0}"#,
        r#"{"version":5,"table":"configmaps","namespace":"a","name":"x","object":{"data":{"k":"5"}}}"#,
        r#"{"version":6,"table":"configmaps","namespace":"a","name":"x"}"#,
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), lines);
}

#[test]
fn a_torn_last_line_is_dropped_and_a_broken_one_inside_is_an_error() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = log_in(&dir);
    let head = r#"{"format":2,"version":2}"#;
    let whole = r#"{"version":3,"table":"configmaps","namespace":"a","name":"x","object":{"data":{"k":"3"}}}"#;
    for torn in [&whole[..40], whole, "\0\0\0"] {
        std::fs::write(&path, format!("{head}\n{whole}\n{torn}")).expect("written");
        assert_eq!(held(&path), (3, vec![object("x", 3)]));
        let (mut log, _) = Log::open(&path).expect("opens");
        put(&mut log, "y", 4);
        assert_eq!(held(&path), (4, vec![object("x", 3), object("y", 4)]));
    }
    std::fs::write(&path, format!("{head}\n{}\n{whole}\n", &whole[..40])).expect("written");
    assert!(matches!(Log::open(&path), Err(Error::Log { line: 2, .. })));
}

#[test]
fn a_log_of_another_format_is_refused_with_the_name_of_the_file_and_left_as_it_is() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = log_in(&dir);
    let former = "{\"v\":2}\n{\"v\":3,\"t\":\"configmaps\",\"dictionary\":[1,\"AA==\"]}\n{\"v\":3,\"t\":\"configmaps\",\"ns\":\"a\",\"n\":\"x\",\"z\":[1,9,\"AA==\"]}\n";
    for text in [former, "{\"format\":3,\"version\":2}\n", "{\"format\":2,\"ver", "no log at all\n"] {
        std::fs::write(&path, text).expect("written");
        let error = Log::open(&path).expect_err("refused");
        assert!(matches!(error, Error::Format(_)) && error.to_string().contains("objects.jsonl is in a format"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).expect("a file"), text);
    }
}

#[test]
fn an_empty_file_is_an_empty_log() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = log_in(&dir);
    std::fs::write(&path, "").expect("written");
    let (mut log, _) = Log::open(&path).expect("opens");
    put(&mut log, "x", 1);
    assert_eq!(held(&path), (1, vec![object("x", 1)]));
}

#[test]
fn a_shortened_log_holds_the_same_and_goes_on() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = log_in(&dir);
    let (mut log, _) = Log::open(&path).expect("opens");
    for version in 1..100 {
        put(&mut log, "x", version);
    }
    let before = std::fs::metadata(&path).expect("a file").len();
    let (key, (_, version, json)) = (Key::new("a", "x"), object("x", 99));
    log.shorten(99, std::iter::once(("configmaps", &key, version, &Text::new(json.as_bytes())))).expect("shortened");
    assert!(std::fs::metadata(&path).expect("a file").len() < before / 10);
    put(&mut log, "y", 100);
    assert_eq!(held(&path), (100, vec![object("x", 99), object("y", 100)]));
}
