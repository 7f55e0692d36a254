//! The append-only log of changes: one JSON line each, handed to the system before the change is answered, so that it
//! outlives the process (not a power cut: only an orderly end syncs). A torn last line, from a process that was killed
//! while writing, is dropped. A line that could not be written whole, as when the disk is full, is cut off again: the next
//! one would continue it, and both were lost. Where even that fails the log takes nothing until it was compacted.
//!
//! Lines hold objects as they go over the wire, so that the log can be searched with any tool. It is compacted when most of
//! it is outdated. A log of another format is refused, never guessed at and never deleted.

mod file;
mod line;

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Key;
use crate::error::Error;
use file::Appended;
use line::{Head, Line};

/// The log, open for appending.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: Box<dyn Appended>,
    line: Vec<u8>,
    /// Of the whole lines in the file.
    length: u64,
    compact_at: u64,
    /// What stands at the end of the file is not known.
    broken: bool,
}

/// A log that is smaller than this is never compacted.
const SMALL: u64 = 4 << 20;

/// An object as the log holds it.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) table: Arc<str>,
    pub(crate) key: Key,
    pub(crate) version: u64,
    pub(crate) json: Box<[u8]>,
}

/// What a log held: the newest version, and the objects in the order of theirs.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) version: u64,
    pub(crate) objects: Vec<Stored>,
}

impl Log {
    /// Reads the log at a path; makes it where there is none.
    pub(crate) fn open(path: &Path) -> Result<(Log, Held), Error> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(Error::file(path))?;
        let (held, whole) = read(path)?;
        let length = file.metadata().map_err(Error::file(path))?.len();
        let current: u64 = held.objects.iter().map(|object| object.json.len() as u64).sum();
        let compact_at = SMALL.max(current * 4);
        let mut log = Log { path: path.to_owned(), file: Box::new(file), line: Vec::new(), length, compact_at, broken: !whole };
        if log.is_due() {
            log.shorten(held.version, held.objects.iter().map(|o| (&*o.table, &o.key, o.version, &*o.json)))?;
        }
        Ok((log, held))
    }

    pub(crate) fn put(&mut self, table: &str, key: &Key, version: u64, json: &[u8]) -> io::Result<()> {
        self.append(version, table, key, Some(json))
    }

    pub(crate) fn remove(&mut self, table: &str, key: &Key, version: u64) -> io::Result<()> {
        self.append(version, table, key, None)
    }

    fn append(&mut self, version: u64, table: &str, key: &Key, object: Option<&[u8]>) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other("its end is damaged, and it could not be written anew"));
        }
        self.line.clear();
        line::write(&mut self.line, version, table, key, object)?;
        if let Err(error) = self.file.write_all(&self.line) {
            self.broken = self.file.cut(self.length).is_err();
            return Err(error);
        }
        self.length += self.line.len() as u64;
        Ok(())
    }

    /// Whether to compact: most of what was written is likely to be outdated, or nothing more can be written.
    pub(crate) fn is_due(&self) -> bool {
        self.broken || self.length > self.compact_at
    }

    /// Starts over with what is held now, in a new file that takes the old one's place once it is complete.
    pub(crate) fn shorten<'o>(&mut self, version: u64, objects: impl Iterator<Item = Current<'o>>) -> Result<(), Error> {
        let mut name = self.path.as_os_str().to_owned();
        name.push(".new");
        let new = PathBuf::from(name);
        let written = write_new(&new, version, objects).map_err(Error::file(&new));
        let moved = written.and_then(|written| std::fs::rename(&new, &self.path).map(|()| written).map_err(Error::file(&self.path)));
        let (file, length) = moved.inspect_err(|_| {
            // The old log goes on, and the room is not lost. Not to fail at every write, the next try is later.
            let _ = std::fs::remove_file(&new);
            self.compact_at = self.length + SMALL;
        })?;
        // The file that was written, not one opened by its name: that could fail, and the old one is no longer the log.
        self.file = Box::new(file);
        self.length = length;
        self.compact_at = SMALL.max(length * 4);
        self.broken = false;
        Ok(())
    }

    /// Brings what was written to the disk. When that fails nobody knows what is there.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.file.sync().inspect_err(|_| self.broken = true)
    }
}

/// An object that a compacted log is to hold: its table, key, version and text.
type Current<'o> = (&'o str, &'o Key, u64, &'o [u8]);

fn write_new<'o>(new: &Path, version: u64, objects: impl Iterator<Item = Current<'o>>) -> io::Result<(File, u64)> {
    // One that is there is from a process that ended while it compacted.
    match std::fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut out = BufWriter::new(OpenOptions::new().create_new(true).append(true).mode(0o600).open(new)?);
    let mut line = Vec::new();
    Head::at(version).write(&mut line)?;
    out.write_all(&line)?;
    let mut length = line.len() as u64;
    for (table, key, version, json) in objects {
        line.clear();
        line::write(&mut line, version, table, key, Some(json))?;
        out.write_all(&line)?;
        length += line.len() as u64;
    }
    let file = out.into_inner()?;
    file.sync_data()?;
    Ok((file, length))
}

/// What a log holds, and whether it can be continued: it has a head, and is read to its end.
fn read(path: &Path) -> Result<(Held, bool), Error> {
    let mut file = BufReader::with_capacity(1 << 18, File::open(path).map_err(Error::file(path))?);
    let mut text = Vec::new();
    if file.read_until(b'\n', &mut text).map_err(Error::file(path))? == 0 {
        return Ok((Held::default(), false));
    }
    let mut version = Head::read(&text).ok_or_else(|| Error::Format(path.to_owned()))?.version;
    let (mut latest, mut whole) = (Latest::default(), true);
    for number in 2.. {
        text.clear();
        if file.read_until(b'\n', &mut text).map_err(Error::file(path))? == 0 {
            break;
        }
        let line = serde_json::from_slice::<Line<'_>>(&text);
        match line {
            Ok(line) if text.ends_with(b"\n") => {
                version = version.max(line.version);
                latest.take(&line);
            }
            _ if file.fill_buf().is_ok_and(<[u8]>::is_empty) => {
                tracing::warn!(line = number, "the last line of the sandbox's log is torn; dropped");
                whole = false;
            }
            Ok(_) => break,
            Err(e) => return Err(Error::Log { path: path.to_owned(), line: number, message: e.to_string() }),
        }
    }
    let mut objects: Vec<Stored> = latest.objects.into_values().collect();
    objects.sort_by_key(|object| object.version);
    Ok((Held { version, objects }, whole))
}

/// The last that was said of each object.
#[derive(Default)]
struct Latest {
    objects: HashMap<(Arc<str>, Key), Stored>,
    tables: HashMap<String, Arc<str>>,
}

impl Latest {
    fn take(&mut self, line: &Line<'_>) {
        let table = match self.tables.get(&*line.table) {
            Some(table) => table.clone(),
            None => self.tables.entry(line.table.to_string()).or_insert((&*line.table).into()).clone(),
        };
        let key = Key::new(&line.namespace, &line.name);
        match line.object {
            Some(object) => {
                let stored = Stored { table: table.clone(), key: key.clone(), version: line.version, json: object.get().as_bytes().into() };
                self.objects.insert((table, key), stored);
            }
            None => drop(self.objects.remove(&(table, key))),
        }
    }
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "log_full_tests.rs"]
mod full_tests;
