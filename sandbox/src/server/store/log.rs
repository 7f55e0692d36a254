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
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Key;
use super::text::Text;
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
    pub(crate) text: Text,
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
        let current: u64 = held.objects.iter().map(|object| object.text.len() as u64).sum();
        let compact_at = SMALL.max(current * 4);
        let mut log = Log { path: path.to_owned(), file: Box::new(file), line: Vec::new(), length, compact_at, broken: !whole };
        if log.is_due() {
            log.shorten(held.version, held.objects.iter().map(|o| (&*o.table, &o.key, o.version, &o.text)))?;
        }
        Ok((log, held))
    }

    pub(crate) fn put(&mut self, table: &str, key: &Key, version: u64, text: &Text) -> io::Result<()> {
        self.append(version, table, key, Some(text))
    }

    pub(crate) fn remove(&mut self, table: &str, key: &Key, version: u64) -> io::Result<()> {
        self.append(version, table, key, None)
    }

    fn append(&mut self, version: u64, table: &str, key: &Key, object: Option<&Text>) -> io::Result<()> {
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
type Current<'o> = (&'o str, &'o Key, u64, &'o Text);

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
    for (table, key, version, text) in objects {
        line.clear();
        line::write(&mut line, version, table, key, Some(text))?;
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
    let (mut latest, mut start, mut whole) = (Latest::default(), text.len() as u64, true);
    for number in 2.. {
        text.clear();
        if file.read_until(b'\n', &mut text).map_err(Error::file(path))? == 0 {
            break;
        }
        match serde_json::from_slice::<Line<'_>>(&text) {
            Ok(line) if text.ends_with(b"\n") => {
                version = version.max(line.version);
                latest.take(&line, start, text.len());
                start += text.len() as u64;
            }
            _ if file.fill_buf().is_ok_and(<[u8]>::is_empty) => {
                tracing::warn!(line = number, "the last line of the sandbox's log is torn; dropped");
                whole = false;
            }
            Ok(_) => break,
            Err(e) => return Err(Error::Log { path: path.to_owned(), line: number, message: e.to_string() }),
        }
    }
    let objects = latest.read(file.get_ref()).map_err(Error::file(path))?;
    Ok((Held { version, objects }, whole))
}

/// Where the last line about each object is. Only those are read to be kept: former texts would leave holes in memory.
#[derive(Default)]
struct Latest {
    lines: HashMap<(Arc<str>, Key), Place>,
    tables: HashMap<String, Arc<str>>,
}

struct Place {
    version: u64,
    start: u64,
    length: usize,
}

impl Latest {
    fn take(&mut self, line: &Line<'_>, start: u64, length: usize) {
        let table = match self.tables.get(&*line.table) {
            Some(table) => table.clone(),
            None => self.tables.entry(line.table.to_string()).or_insert((&*line.table).into()).clone(),
        };
        let at = (table, Key::new(&line.namespace, &line.name));
        match line.object {
            Some(_) => drop(self.lines.insert(at, Place { version: line.version, start, length })),
            None => drop(self.lines.remove(&at)),
        }
    }

    fn read(self, file: &File) -> io::Result<Vec<Stored>> {
        let mut lines: Vec<_> = self.lines.into_iter().collect();
        lines.sort_by_key(|(_, place)| place.version);
        let mut line = Vec::new();
        let each = lines.into_iter().map(|((table, key), Place { version, start, length })| {
            line.resize(length, 0);
            file.read_exact_at(&mut line, start)?;
            let object = serde_json::from_slice::<Line<'_>>(&line)?.object.map_or("null", |object| object.get());
            Ok(Stored { table, key, version, text: Text::new(object.as_bytes()) })
        });
        each.collect()
    }
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "log_full_tests.rs"]
mod full_tests;
