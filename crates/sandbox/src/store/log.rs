//! The append-only log of changes: one JSON line each, handed to the system before the change is answered, so that it
//! outlives the process (not a power cut: only an orderly end syncs). Compacted at start, and when it has grown far
//! beyond what it holds. A torn last line, from a process that was killed while writing, is dropped.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Entry, Key};
use crate::error::Error;

/// The log, open for appending.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: File,
    line: Vec<u8>,
    written: usize,
    compact_at: usize,
}

/// A log that is smaller than this is never compacted while it is in use.
const SMALL: usize = 64 << 20;

/// What a log held: the newest version, and the JSON text of each object with its table.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) version: u64,
    pub(crate) objects: Vec<(String, u64, Bytes)>,
}

#[derive(Deserialize)]
struct Line<'l> {
    v: u64,
    #[serde(default)]
    t: &'l str,
    #[serde(default)]
    ns: &'l str,
    #[serde(default)]
    n: &'l str,
    #[serde(borrow, default)]
    o: Option<&'l RawValue>,
}

impl Log {
    /// Reads and compacts the log at a path; makes it where there is none.
    pub(crate) fn open(path: &Path) -> Result<(Log, Held), Error> {
        let held = if path.exists() { read(path)? } else { Held::default() };
        compact(path, &held)?;
        let file = OpenOptions::new().append(true).open(path).map_err(Error::file(path))?;
        let log = Log { path: path.to_owned(), file, line: Vec::new(), written: 0, compact_at: SMALL };
        Ok((log, held))
    }

    pub(crate) fn put(&mut self, table: &str, entry: &Entry) -> std::io::Result<()> {
        self.line.clear();
        put_line(&mut self.line, table, &entry.key, entry.version, &entry.json)?;
        self.written += self.line.len();
        self.file.write_all(&self.line)
    }

    /// Whether most of what was written is likely to be outdated.
    pub(crate) fn is_long(&self) -> bool {
        self.written > self.compact_at
    }

    /// Starts over with what is held now.
    pub(crate) fn shorten(&mut self, held: &Held) -> Result<(), Error> {
        compact(&self.path, held)?;
        self.file = OpenOptions::new().append(true).open(&self.path).map_err(Error::file(&self.path))?;
        self.written = 0;
        self.compact_at = SMALL.max(held.objects.iter().map(|(_, _, json)| json.len() * 4).sum());
        Ok(())
    }

    pub(crate) fn remove(&mut self, table: &str, key: &Key, version: u64) -> std::io::Result<()> {
        self.line.clear();
        writeln!(self.line, r#"{{"v":{version},"t":"{table}","ns":"{}","n":"{}"}}"#, key.namespace, key.name)?;
        self.file.write_all(&self.line)
    }

    pub(crate) fn flush(&mut self) -> std::io::Result<()> {
        self.file.sync_data()
    }
}

/// Names need no escaping: they were validated when the object was created.
fn put_line(out: &mut impl Write, table: &str, key: &Key, version: u64, json: &[u8]) -> std::io::Result<()> {
    write!(out, r#"{{"v":{version},"t":"{table}","ns":"{}","n":"{}","o":"#, key.namespace, key.name)?;
    out.write_all(json)?;
    out.write_all(b"}\n")
}

type Latest = HashMap<(String, Key), (u64, Bytes)>;

fn read(path: &Path) -> Result<Held, Error> {
    let mut reader = BufReader::with_capacity(1 << 16, File::open(path).map_err(Error::file(path))?);
    let (mut version, mut latest) = (0, Latest::new());
    let (mut text, mut number) = (Vec::new(), 0);
    loop {
        text.clear();
        number += 1;
        let length = reader.read_until(b'\n', &mut text).map_err(Error::file(path))?;
        if length == 0 {
            break;
        }
        let whole = text.ends_with(b"\n");
        match serde_json::from_slice::<Line<'_>>(&text) {
            Ok(line) if whole => {
                version = version.max(line.v);
                take(&mut latest, &line);
            }
            _ if at_end(&mut reader) => {
                tracing::warn!(line = number, "the last line of the sandbox's log is torn; dropped");
                break;
            }
            Ok(_) => break,
            Err(e) => return Err(Error::Log { path: path.to_owned(), line: number, message: e.to_string() }),
        }
    }
    let mut objects: Vec<_> = latest.into_iter().map(|((table, _), (v, json))| (table, v, json)).collect();
    objects.sort_by_key(|(_, version, _)| *version);
    Ok(Held { version, objects })
}

fn at_end(reader: &mut impl BufRead) -> bool {
    reader.fill_buf().is_ok_and(<[u8]>::is_empty)
}

fn take(latest: &mut Latest, line: &Line<'_>) {
    if line.t.is_empty() {
        return;
    }
    let key = (line.t.to_owned(), Key::new(line.ns, line.n));
    match line.o {
        Some(object) => {
            latest.insert(key, (line.v, Bytes::copy_from_slice(object.get().as_bytes())));
        }
        None => {
            latest.remove(&key);
        }
    }
}

/// Writes what is held to a new file and puts it in place of the old one.
fn compact(path: &Path, held: &Held) -> Result<(), Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&new).map_err(Error::file(&new))?;
    let mut out = BufWriter::new(file);
    let mut write = || -> std::io::Result<()> {
        writeln!(out, r#"{{"v":{}}}"#, held.version)?;
        for (table, version, json) in &held.objects {
            put_line(&mut out, table, &key_of(json), *version, json)?;
        }
        out.flush()?;
        out.get_ref().sync_data()
    };
    write().map_err(Error::file(&new))?;
    std::fs::rename(&new, path).map_err(Error::file(path))
}

fn key_of(json: &[u8]) -> Key {
    #[derive(Deserialize)]
    struct Object {
        metadata: Meta,
    }
    #[derive(Deserialize)]
    struct Meta {
        name: String,
        #[serde(default)]
        namespace: String,
    }
    serde_json::from_slice::<Object>(json).map_or_else(|_| Key::new("", ""), |o| Key::new(&o.metadata.namespace, &o.metadata.name))
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
