//! A disk that is full, for a while or for good.

use std::io::{Result, Write};
use std::sync::Mutex;

use super::super::{Expect, Miss, Store};
use super::*;
use serde_json::{Value, json};

/// A real file on a disk that has room for so many bytes more.
#[derive(Debug)]
struct Disk {
    file: File,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    room: usize,
    cuts: bool,
    syncs: bool,
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let mut state = self.state.lock().expect("a lock");
        if state.room == 0 {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        let written = self.file.write(&bytes[..bytes.len().min(state.room)])?;
        state.room -= written;
        Ok(written)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Appended for Disk {
    fn cut(&self, length: u64) -> Result<()> {
        let cuts = self.state.lock().expect("a lock").cuts;
        if cuts { self.file.set_len(length) } else { Err(std::io::ErrorKind::ReadOnlyFilesystem.into()) }
    }

    fn sync(&self) -> Result<()> {
        let syncs = self.state.lock().expect("a lock").syncs;
        if syncs { self.file.sync_data() } else { Err(std::io::ErrorKind::StorageFull.into()) }
    }
}

struct Fixture {
    dir: tempfile::TempDir,
    disk: Arc<Mutex<State>>,
}

impl Fixture {
    /// A log that holds the object `a` at version 1.
    fn new() -> (Log, Fixture) {
        let dir = tempfile::tempdir().expect("a directory");
        let disk = Arc::new(Mutex::new(State { room: usize::MAX, cuts: true, syncs: true }));
        let fixture = Fixture { dir, disk };
        let (mut log, _) = Log::open(&fixture.path()).expect("opens");
        let file = OpenOptions::new().append(true).open(fixture.path()).expect("opens");
        log.file = Box::new(Disk { file, state: fixture.disk.clone() });
        put(&mut log, "a", 1).expect("written");
        (log, fixture)
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("objects.jsonl")
    }

    fn room(&self, room: usize) {
        self.disk.lock().expect("a lock").room = room;
    }

    /// Names and versions, as the next start finds them.
    fn held(&self) -> Vec<(String, u64)> {
        let (_, held) = Log::open(&self.path()).expect("opens again");
        held.objects.iter().map(|object| (object.key.name.to_string(), object.version)).collect()
    }
}

fn object(name: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "a", "uid": name}})
}

fn text(name: &str) -> Text {
    Text::new(object(name).to_string().as_bytes())
}

fn put(log: &mut Log, name: &str, version: u64) -> Result<()> {
    log.put("configmaps", &Key::new("a", name), version, &text(name))
}

/// Compacts the log of a store that has only the object `a`.
fn shorten(log: &mut Log, version: u64) -> std::result::Result<(), Error> {
    log.shorten(version, std::iter::once(("configmaps", &Key::new("a", "a"), 1, &text("a"))))
}

fn names(held: &[(&str, u64)]) -> Vec<(String, u64)> {
    held.iter().map(|(name, version)| ((*name).to_owned(), *version)).collect()
}

#[test]
fn a_line_that_is_not_written_whole_is_not_there_at_all() {
    for room in [0, 1, 40, 60] {
        let (mut log, fixture) = Fixture::new();
        fixture.room(room);
        put(&mut log, "b", 2).expect_err("no room");
        log.remove("configmaps", &Key::new("a", "a"), 2).expect_err("no room");
        fixture.room(usize::MAX);
        put(&mut log, "c", 2).expect("room again");
        assert_eq!(fixture.held(), names(&[("a", 1), ("c", 2)]), "{room}");
    }
}

#[test]
fn a_log_with_half_a_line_at_its_end_takes_nothing_until_it_is_compacted() {
    let (mut log, fixture) = Fixture::new();
    fixture.disk.lock().expect("a lock").cuts = false;
    fixture.room(40);
    put(&mut log, "b", 2).expect_err("no room");
    fixture.room(usize::MAX);
    put(&mut log, "c", 2).expect_err("half a line is at the end");
    assert_eq!(fixture.held(), names(&[("a", 1)]));
    shorten(&mut log, 1).expect("a new file");
    put(&mut log, "c", 2).expect("whole again");
    assert_eq!(fixture.held(), names(&[("a", 1), ("c", 2)]));
}

/// In the way of a compaction, until it is removed.
fn obstacle(fixture: &Fixture) -> PathBuf {
    let path = fixture.dir.path().join("objects.jsonl.new");
    std::fs::create_dir(&path).expect("a directory");
    path
}

#[test]
fn what_the_log_did_not_take_has_not_happened_and_a_broken_one_is_mended_when_it_can_be() {
    let (log, fixture) = Fixture::new();
    let obstacle = obstacle(&fixture);
    let fields: Arc<[String]> = [].into();
    let store = Store::new(Some(log));
    let a = Stored { table: "configmaps".into(), key: Key::new("a", "a"), version: 1, text: text("a") };
    store.load(Held { version: 1, objects: vec![a] }, |_| Some(fields.clone()));
    let b = store.put("configmaps", &fields, object("b"), Expect::Absent).expect("written");
    for cuts in [true, false] {
        fixture.disk.lock().expect("a lock").cuts = cuts;
        fixture.room(40);
        for _ in 0..2 {
            assert!(matches!(store.put("configmaps", &fields, object("c"), Expect::Absent), Err(Miss::Log(_))));
            assert!(matches!(store.put("configmaps", &fields, object("b"), Expect::Version(b.version)), Err(Miss::Log(_))));
            assert!(matches!(store.remove("configmaps", &b.key, b.version), Err(Miss::Log(_))));
        }
        assert_eq!(store.version(), b.version);
        assert!(store.get("configmaps", &Key::new("a", "c")).is_none());
        assert_eq!(store.get("configmaps", &b.key).expect("still there").version, b.version);
    }
    std::fs::remove_dir(obstacle).expect("removed");
    store.put("configmaps", &fields, object("c"), Expect::Absent).expect("compacted, and written");
    assert_eq!(fixture.held(), names(&[("a", 1), ("b", 2), ("c", 3)]));
}

#[test]
fn a_compaction_that_fails_changes_nothing_and_is_not_tried_at_every_write() {
    let (mut log, fixture) = Fixture::new();
    let obstacle = obstacle(&fixture);
    log.compact_at = 0;
    shorten(&mut log, 1).expect_err("something is in the way");
    assert!(!log.is_due());
    put(&mut log, "b", 2).expect("the old log goes on");
    assert_eq!(fixture.held(), names(&[("a", 1), ("b", 2)]));
    std::fs::remove_dir(obstacle).expect("removed");
    std::fs::write(fixture.dir.path().join("objects.jsonl.new"), "half a li").expect("left by a process that ended");
    shorten(&mut log, 2).expect("written anew");
    put(&mut log, "c", 3).expect("and it goes on");
    assert_eq!(fixture.held(), names(&[("a", 1), ("c", 3)]));
}

#[test]
fn a_log_of_which_nobody_knows_whether_it_is_on_the_disk_is_written_anew() {
    let (mut log, fixture) = Fixture::new();
    fixture.disk.lock().expect("a lock").syncs = false;
    log.flush().expect_err("not on the disk");
    assert!(log.is_due());
    put(&mut log, "b", 2).expect_err("not before that");
}

#[test]
fn what_stands_after_a_cut_follows_a_compaction_too() {
    let (mut log, fixture) = Fixture::new();
    shorten(&mut log, 1).expect("shortened");
    let length = std::fs::metadata(fixture.path()).expect("a file").len();
    assert_eq!(log.length, length);
    put(&mut log, "b", 2).expect("written");
    log.file.cut(length).expect("cut");
    put(&mut log, "c", 2).expect("written");
    assert_eq!(fixture.held(), names(&[("a", 1), ("c", 2)]));
}
