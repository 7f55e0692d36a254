//! The append-only log of changes: one JSON line each, handed to the system before the change is answered, so that it
//! outlives the process (not a power cut: only an orderly end syncs). A torn last line, from a process that was killed
//! while writing, is dropped. A line that could not be written whole, as when the disk is full, is cut off again: the next
//! one would continue it, and both were lost. Where even that fails the log takes nothing until it was compacted.
//!
//! Lines hold objects as the store does, packed and with their index ([`line`]), so that a start parses none of them. The
//! log is compacted when most of it is outdated.

mod file;
mod line;

use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::pack::{Dictionary, Packed};
use super::{Entry, Key};
use crate::error::Error;
use file::Appended;
use line::{Line, Reader};

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
    /// Those that stand in the log.
    dictionaries: Written,
}

/// The numbers of dictionaries, by table.
type Written = HashMap<Box<str>, HashSet<u64>>;

/// A log that is smaller than this is never compacted.
const SMALL: u64 = 4 << 20;

/// What a log held: the newest version, and the objects with their tables.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) version: u64,
    pub(crate) objects: Vec<(Arc<str>, Entry)>,
    pub(crate) dictionaries: Vec<(Arc<str>, Arc<Dictionary>)>,
}

impl Log {
    /// Reads the log at a path; makes it where there is none.
    pub(crate) fn open(path: &Path) -> Result<(Log, Held), Error> {
        let (held, whole) = if path.exists() { read(path)? } else { (Held::default(), false) };
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(Error::file(path))?;
        let length = file.metadata().map_err(Error::file(path))?.len();
        let mut dictionaries = Written::new();
        for (table, dictionary) in &held.dictionaries {
            dictionaries.entry((&**table).into()).or_default().insert(dictionary.id);
        }
        let mut log = Log { path: path.to_owned(), file: Box::new(file), line: Vec::new(), length, compact_at: SMALL, broken: !whole, dictionaries };
        let kept: usize = held.objects.iter().map(|(_, entry)| entry.held() * 3).sum();
        log.compact_at = SMALL.max(kept as u64 * 4);
        if log.is_due() {
            log.shorten(held.version, held.objects.iter().map(|(table, entry)| (&**table, entry)))?;
        }
        Ok((log, held))
    }

    pub(crate) fn put(&mut self, table: &str, entry: &Entry) -> io::Result<()> {
        self.line.clear();
        let dictionary = write_object(&mut self.line, &self.dictionaries, table, entry)?;
        self.append()?;
        mark(&mut self.dictionaries, table, dictionary);
        Ok(())
    }

    pub(crate) fn remove(&mut self, table: &str, key: &Key, version: u64) -> io::Result<()> {
        self.line.clear();
        line::write_removal(&mut self.line, table, key, version)?;
        self.append()
    }

    fn append(&mut self) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other("it has half a line at its end, and could not be compacted"));
        }
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
    pub(crate) fn shorten<'e>(&mut self, version: u64, objects: impl Iterator<Item = (&'e str, &'e Entry)>) -> Result<(), Error> {
        let mut name = self.path.as_os_str().to_owned();
        name.push(".new");
        let new = PathBuf::from(name);
        let written = Self::write_new(&new, version, objects).map_err(Error::file(&new));
        let moved = written.and_then(|written| std::fs::rename(&new, &self.path).map(|()| written).map_err(Error::file(&self.path)));
        let (file, length, dictionaries) = moved.inspect_err(|_| {
            // The old log goes on, and the room is not lost. Not to fail at every write, the next try is later.
            let _ = std::fs::remove_file(&new);
            self.compact_at = self.length + SMALL;
        })?;
        // The file that was written, not one opened by its name: that could fail, and the old one is no longer the log.
        self.file = Box::new(file);
        self.length = length;
        self.compact_at = SMALL.max(length * 4);
        self.broken = false;
        self.dictionaries = dictionaries;
        Ok(())
    }

    fn write_new<'e>(new: &Path, version: u64, objects: impl Iterator<Item = (&'e str, &'e Entry)>) -> io::Result<(File, u64, Written)> {
        // One that is there is from a process that ended while it compacted.
        match std::fs::remove_file(new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut out = BufWriter::new(OpenOptions::new().create_new(true).append(true).mode(0o600).open(new)?);
        let (mut dictionaries, mut length) = (Written::new(), 0);
        let mut line = format!("{{\"v\":{version}}}\n").into_bytes();
        out.write_all(&line)?;
        length += line.len() as u64;
        for (table, entry) in objects {
            line.clear();
            let dictionary = write_object(&mut line, &dictionaries, table, entry)?;
            mark(&mut dictionaries, table, dictionary);
            out.write_all(&line)?;
            length += line.len() as u64;
        }
        let file = out.into_inner()?;
        file.sync_data()?;
        Ok((file, length, dictionaries))
    }

    /// Brings what was written to the disk. When that fails nobody knows what is there.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.file.sync().inspect_err(|_| self.broken = true)
    }
}

/// A dictionary stands before the first object that was packed with it. Tells which one is written here.
fn write_object(out: &mut Vec<u8>, written: &Written, table: &str, entry: &Entry) -> io::Result<Option<u64>> {
    let mut new = None;
    if let Packed::Against { dictionary: Some(dictionary), .. } = &entry.packed
        && !written.get(table).is_some_and(|ids| ids.contains(&dictionary.id))
    {
        line::write_dictionary(out, table, dictionary)?;
        new = Some(dictionary.id);
    }
    line::write_object(out, table, entry)?;
    Ok(new)
}

fn mark(written: &mut Written, table: &str, dictionary: Option<u64>) {
    if let Some(id) = dictionary {
        written.entry(table.into()).or_default().insert(id);
    }
}

/// What a log holds, and whether it is whole: read to its end.
fn read(path: &Path) -> Result<(Held, bool), Error> {
    let mut file = BufReader::with_capacity(1 << 18, File::open(path).map_err(Error::file(path))?);
    let mut reader = Reader::default();
    let (mut version, mut latest, mut whole) = (0, HashMap::<(Arc<str>, Key), Entry>::new(), true);
    let (mut text, mut number) = (Vec::new(), 0);
    loop {
        text.clear();
        number += 1;
        if file.read_until(b'\n', &mut text).map_err(Error::file(path))? == 0 {
            break;
        }
        let ended = text.ends_with(b"\n");
        match serde_json::from_slice::<Line<'_>>(&text) {
            Ok(line) if ended => {
                version = version.max(line.v);
                let damaged = |message: String| Error::Log { path: path.to_owned(), line: number, message };
                match reader.take(&line).map_err(damaged)? {
                    line::Taken::Object(table, entry) => drop(latest.insert((table, entry.key.clone()), entry)),
                    line::Taken::Removal(table, key) => drop(latest.remove(&(table, key))),
                    line::Taken::Nothing => {}
                }
            }
            _ if at_end(&mut file) => {
                tracing::warn!(line = number, "the last line of the sandbox's log is torn; dropped");
                whole = false;
                break;
            }
            Ok(_) => break,
            Err(e) => return Err(Error::Log { path: path.to_owned(), line: number, message: e.to_string() }),
        }
    }
    let mut objects: Vec<_> = latest.into_iter().map(|((table, _), entry)| (table, entry)).collect();
    objects.sort_by_key(|(_, entry)| entry.version);
    Ok((Held { version, objects, dictionaries: reader.dictionaries() }, whole))
}

fn at_end(reader: &mut impl BufRead) -> bool {
    reader.fill_buf().is_ok_and(<[u8]>::is_empty)
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "log_full_tests.rs"]
mod full_tests;
