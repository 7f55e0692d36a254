//! `tar x` and `tar t`: an archive into files, or their names.

use std::io::Read;

use bytes::Bytes;
use tar::{Archive, EntryType};

use super::complaints::Complaints;
use super::wish::Wish;
use crate::clock::Clock;
use crate::io::{Input, Io};
use crate::places::{Places, absolute};
use crate::tree::Fault;

/// Long names come as entries of their own; longer ones than this are no names.
const NAME: u64 = 64 << 10;
/// Bytes that are read at a time.
const CHUNK: usize = 32 << 10;

struct Source<'i> {
    input: &'i Input,
    rest: Bytes,
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.rest.is_empty() {
            match self.input.blocking_chunk() {
                Some(chunk) => self.rest = chunk,
                None => return Ok(0),
            }
        }
        let part = self.rest.split_to(buffer.len().min(self.rest.len()));
        buffer[..part.len()].copy_from_slice(&part);
        Ok(part.len())
    }
}

/// Reads at most `most` bytes.
pub(super) fn extract(places: &Places, clock: &Clock, io: &Io, base: &str, wish: &Wish, most: u64) -> i32 {
    let mut complaints = Complaints::new(io, clock);
    let mut archive = Archive::new(Source { input: &io.stdin, rest: Bytes::new() }.take(most));
    if let Err(e) = each(places, clock, io, base, wish, &mut archive, &mut complaints) {
        complaints.say(e.to_string());
    }
    // Whoever sends must not be left with a full pipe.
    let _ = std::io::copy(&mut archive.into_inner(), &mut std::io::sink());
    complaints.status()
}

/// Raw entries: the library would hold a long name of any length in memory.
fn each(
    places: &Places,
    clock: &Clock,
    io: &Io,
    base: &str,
    wish: &Wish,
    archive: &mut Archive<impl Read>,
    complaints: &mut Complaints<'_>,
) -> std::io::Result<()> {
    let mut long = None;
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        if kind.is_gnu_longname() || kind.is_pax_local_extensions() {
            let mut text = Vec::new();
            (&mut entry).take(NAME).read_to_end(&mut text)?;
            long = if kind.is_gnu_longname() { Some(String::from_utf8_lossy(&text).trim_end_matches('\0').to_owned()) } else { pax_path(&text) };
            continue;
        }
        let name = long.take().unwrap_or_else(|| String::from_utf8_lossy(&entry.path_bytes()).into_owned());
        if name.split('/').any(|part| part == "..") {
            complaints.say(format!("name with '..' skipped: '{name}'"));
            continue;
        }
        if wish.list {
            if io.stdout.blocking_write(clock, format!("{name}\n").into()).is_err() {
                return Ok(());
            }
            continue;
        }
        let path = absolute(base, name.trim_start_matches('/'));
        let modified = if wish.keep_time { i64::try_from(entry.header().mtime()?).unwrap_or(0) } else { clock.seconds() };
        let mode = entry.header().mode()? & 0o777;
        let done = match kind {
            EntryType::Directory => places.mkdirs(&path, modified),
            EntryType::Regular | EntryType::Continuous => match entry.header().size()? {
                size if size > places.room() as u64 => Err(Fault::Full),
                _ => file(places, &path, mode, modified, &mut entry)?,
            },
            EntryType::XGlobalHeader => Ok(()),
            _ => {
                complaints.say(format!("{name}: links and devices are not kept by the sandbox"));
                continue;
            }
        };
        match done {
            Ok(()) => {}
            Err(Fault::Full) => {
                complaints.say(format!("{name}: {}", Fault::Full));
                return Ok(());
            }
            Err(fault) => complaints.say(format!("can't open '{name}': {fault}")),
        }
    }
    Ok(())
}

/// Piece by piece into the tree, which knows when it is full.
fn file(places: &Places, path: &str, mode: u32, modified: i64, content: &mut impl Read) -> std::io::Result<Result<(), Fault>> {
    let up = path.rsplit_once('/').map_or("", |(up, _)| up);
    if let Err(fault) = places.mkdirs(up, modified).and_then(|()| places.write(path, vec![], Some(mode), modified)) {
        return Ok(Err(fault));
    }
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = content.read(&mut buffer)?;
        if read == 0 {
            return Ok(Ok(()));
        }
        if let Err(fault) = places.append(path, &buffer[..read], modified) {
            return Ok(Err(fault));
        }
    }
}

/// The path of a PAX header: lines of `LENGTH KEY=VALUE`.
fn pax_path(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    text.lines().find_map(|line| line.split_once(' ')?.1.strip_prefix("path=").map(str::to_owned))
}
