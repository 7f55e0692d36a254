//! The append-only log of changes: one JSON line each, handed to the system before the change is answered, so that it
//! outlives the process (not a power cut: only an orderly end syncs). A torn last line, from a process that was killed
//! while writing, is dropped.
//!
//! Lines hold objects as the store does, packed and with their index ([`line`]), so that a start parses none of them. The
//! log is compacted when most of it is outdated.

mod line;

use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::pack::{Dictionary, Packed};
use super::{Entry, Key};
use crate::error::Error;
use line::{Line, Reader};

/// The log, open for appending.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: File,
    line: Vec<u8>,
    length: usize,
    compact_at: usize,
    /// Those that stand in the log.
    dictionaries: Written,
}

/// The numbers of dictionaries, by table.
type Written = HashMap<Box<str>, HashSet<u64>>;

/// A log that is smaller than this is never compacted.
const SMALL: usize = 4 << 20;

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
        let length = file.metadata().map_or(0, |m| m.len());
        let mut dictionaries = Written::new();
        for (table, dictionary) in &held.dictionaries {
            dictionaries.entry((&**table).into()).or_default().insert(dictionary.id);
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let mut log = Log { path: path.to_owned(), file, line: Vec::new(), length, compact_at: SMALL, dictionaries };
        let kept: usize = held.objects.iter().map(|(_, entry)| entry.held() * 3).sum();
        log.compact_at = SMALL.max(kept * 4);
        if !whole || log.is_long() {
            log.shorten(held.version, held.objects.iter().map(|(table, entry)| (&**table, entry)))?;
        }
        Ok((log, held))
    }

    pub(crate) fn put(&mut self, table: &str, entry: &Entry) -> std::io::Result<()> {
        self.line.clear();
        write_object(&mut self.line, &mut self.dictionaries, table, entry)?;
        self.append()
    }

    pub(crate) fn remove(&mut self, table: &str, key: &Key, version: u64) -> std::io::Result<()> {
        self.line.clear();
        line::write_removal(&mut self.line, table, key, version)?;
        self.append()
    }

    fn append(&mut self) -> std::io::Result<()> {
        self.length += self.line.len();
        self.file.write_all(&self.line)
    }

    /// Whether most of what was written is likely to be outdated.
    pub(crate) fn is_long(&self) -> bool {
        self.length > self.compact_at
    }

    /// Starts over with what is held now.
    pub(crate) fn shorten<'e>(&mut self, version: u64, objects: impl Iterator<Item = (&'e str, &'e Entry)>) -> Result<(), Error> {
        let mut name = self.path.as_os_str().to_owned();
        name.push(".new");
        let new = PathBuf::from(name);
        let file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&new).map_err(Error::file(&new))?;
        let (mut written, mut length) = (Written::new(), 0);
        let mut out = BufWriter::new(file);
        let write = || -> std::io::Result<()> {
            writeln!(out, r#"{{"v":{version}}}"#)?;
            for (table, entry) in objects {
                self.line.clear();
                write_object(&mut self.line, &mut written, table, entry)?;
                length += self.line.len();
                out.write_all(&self.line)?;
            }
            out.flush()?;
            out.get_ref().sync_data()
        };
        write().map_err(Error::file(&new))?;
        std::fs::rename(&new, &self.path).map_err(Error::file(&self.path))?;
        self.file = OpenOptions::new().append(true).open(&self.path).map_err(Error::file(&self.path))?;
        self.dictionaries = written;
        self.length = length;
        self.compact_at = SMALL.max(length * 4);
        Ok(())
    }

    pub(crate) fn flush(&mut self) -> std::io::Result<()> {
        self.file.sync_data()
    }
}

/// A dictionary stands before the first object that was packed with it.
fn write_object(out: &mut Vec<u8>, written: &mut Written, table: &str, entry: &Entry) -> std::io::Result<()> {
    if let Packed::Against { dictionary: Some(dictionary), .. } = &entry.packed
        && !written.get(table).is_some_and(|ids| ids.contains(&dictionary.id))
    {
        line::write_dictionary(out, table, dictionary)?;
        written.entry(table.into()).or_default().insert(dictionary.id);
    }
    line::write_object(out, table, entry)
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
