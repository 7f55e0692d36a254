//! `tar c`: files into an archive.

use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use tar::{Builder, EntryType, Header};

use super::complaints::Complaints;
use super::wish::Wish;
use crate::clock::Clock;
use crate::io::{Io, Output};
use crate::places::{Places, absolute};
use crate::stop::Stop;
use crate::tree::Fault;

/// Bytes that are written at a time.
const CHUNK: usize = 32 << 10;

struct Sink<'o>(&'o Output, &'o Clock);

impl Write for Sink<'_> {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let part = &buffer[..buffer.len().min(CHUNK)];
        match self.0.blocking_write(self.1, Bytes::copy_from_slice(part)) {
            Ok(()) => Ok(part.len()),
            Err(Stop::Broken) => Err(std::io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(std::io::Error::other(Fault::Full)),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(super) fn create(places: &Places, clock: &Clock, io: &Io, base: &str, wish: &Wish) -> i32 {
    let mut complaints = Complaints::new(io, clock);
    let mut builder = Builder::new(std::io::BufWriter::with_capacity(CHUNK, Sink(&io.stdout, clock)));
    for named in &wish.paths {
        let path = absolute(base, named);
        if let Err(fault) = places.stat(&path) {
            complaints.say(format!("{named}: {fault}"));
        }
        for (found, node) in places.walk(&path) {
            let below = &found[path.len()..];
            let name = format!("{}{below}", named.trim_end_matches('/')).trim_start_matches('/').to_owned();
            let name = if name.is_empty() { ".".to_owned() } else { name };
            let mut header = Header::new_gnu();
            header.set_entry_type(if node.is_dir() { EntryType::Directory } else { EntryType::Regular });
            header.set_size(node.content.as_ref().map_or(0, |c| c.len()) as u64);
            header.set_mode(node.mode);
            header.set_mtime(u64::try_from(node.modified).unwrap_or(0));
            let content: Arc<Vec<u8>> = node.content.clone().unwrap_or_default();
            let name = if node.is_dir() { name + "/" } else { name };
            if let Err(e) = builder.append_data(&mut header, &name, content.as_slice()) {
                complaints.say(format!("{name}: {e}"));
                return complaints.status();
            }
        }
    }
    if let Err(e) = builder.into_inner().and_then(|mut out| out.flush()) {
        complaints.say(format!("write error: {e}"));
    }
    complaints.status()
}
