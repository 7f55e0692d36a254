//! `tar`, as far as `kubectl cp` needs it: `tar cf - PATH...` and `tar xmf - -C DIR`.
//!
//! The archive is read and written as a stream, on a thread that may block. Only files and directories are kept; names
//! that lead out of the target are left out, and everything lands in the container's tree, never on a disk.

use std::io::{Read, Write};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tar::{Archive, Builder, EntryType, Header};

use crate::clock::Clock;
use crate::io::{Input, Io, Kept, Output, PIECE, Run, Stop};
use crate::places::{Places, absolute};
use crate::process::Process;
use crate::tree::Fault;

/// What is taken in at most: a full tree and its headers.
const STREAM: u64 = 40 << 20;
/// Long names come as entries of their own; longer ones than this are no names.
const NAME: u64 = 64 << 10;
const CHUNK: usize = 32 << 10;

#[derive(Debug, Default)]
struct Wish {
    create: bool,
    extract: bool,
    list: bool,
    keep_time: bool,
    file: String,
    directory: String,
    paths: Vec<String>,
}

pub(super) async fn tar(process: &mut Process, io: &Io, args: &[String]) -> Run<i32> {
    let wish = match wish(args) {
        Ok(wish) => wish,
        Err(wrong) => {
            process.complain(io, &format!("tar: {wrong}")).await?;
            return Ok(1);
        }
    };
    let base = absolute(&process.cwd, &wish.directory);
    let places = process.container.places.clone();
    if !places.is_dir(&base) {
        process.complain(io, &format!("tar: can't change directory to '{}': No such file or directory", wish.directory)).await?;
        return Ok(1);
    }
    let mut io = io.clone();
    let file = absolute(&process.cwd, &wish.file);
    let opened = match (wish.file.as_str(), wish.create) {
        ("-" | "", _) => Ok(()),
        (_, true) => places.write(&file, vec![], None, process.clock.seconds()).map(|()| io.stdout = Output::File(places.clone(), file)),
        (_, false) => places.read(&file).map(|content| io.stdin = Input::fixed(content.to_vec().into())),
    };
    if let Err(fault) = opened {
        process.complain(&io, &format!("tar: {}: {fault}", wish.file)).await?;
        return Ok(1);
    }
    if process.clock.is_ahead() {
        return at_once(process, io, &base, &wish).await;
    }
    let (clock, work) = (process.clock.clone(), io.clone());
    let ended = tokio::task::spawn_blocking(move || {
        if wish.create { create(&places, &clock, &work, &base, &wish) } else { extract(&places, &clock, &work, &base, &wish) }
    });
    ended.await.map_err(|_| Stop::Exit(2))
}

/// Without a thread, whose work would have to be waited for: what is read is there before, what is written goes out after.
async fn at_once(process: &Process, io: Io, base: &str, wish: &Wish) -> Run<i32> {
    let mut read = BytesMut::new();
    while !wish.create
        && (read.len() as u64) < STREAM
        && let Some(chunk) = io.stdin.chunk().await
    {
        read.extend_from_slice(&chunk);
    }
    process.clock.work(read.len() as u64 / PIECE)?;
    let (out, err) = (Kept::new(STREAM as usize), Kept::new(CHUNK));
    let stdout = match &io.stdout {
        Output::File(..) => io.stdout.clone(),
        // An archive has no place in a log.
        Output::Lines(..) | Output::Kept(_) | Output::Null if wish.create => Output::Null,
        _ => Output::Kept(out.clone()),
    };
    let work = Io { stdin: Input::fixed(read.freeze()), stdout, stderr: Output::Kept(err.clone()) };
    let (places, clock) = (&process.container.places, &process.clock);
    let status = if wish.create { create(places, clock, &work, base, wish) } else { extract(places, clock, &work, base, wish) };
    io.stderr.write(clock, err.take()).await?;
    io.stdout.write(clock, out.take()).await?;
    Ok(status)
}

/// Bundled letters with or without `-`, and the few long options that clients use.
fn wish(args: &[String]) -> Result<Wish, String> {
    let mut wish = Wish { keep_time: true, ..Wish::default() };
    let mut args = args.iter().enumerate();
    while let Some((index, arg)) = args.next() {
        let letters = match arg.strip_prefix("--") {
            Some("no-same-permissions" | "no-same-owner" | "no-overwrite-dir" | "overwrite") => continue,
            Some("") => {
                wish.paths.extend(args.map(|(_, a)| a.clone()));
                break;
            }
            Some(other) => return Err(format!("unrecognized option: {other}")),
            None => match arg.strip_prefix('-') {
                Some(letters) if !letters.is_empty() => letters,
                _ if index == 0 => arg,
                _ => {
                    wish.paths.push(arg.clone());
                    continue;
                }
            },
        };
        for letter in letters.chars() {
            let mut value = || args.next().map(|(_, v)| v.clone()).ok_or_else(|| format!("option requires an argument: {letter}"));
            match letter {
                'c' => wish.create = true,
                'x' => wish.extract = true,
                't' => wish.list = true,
                'm' => wish.keep_time = false,
                'f' => wish.file = value()?,
                'C' => wish.directory = value()?,
                'p' | 'v' | 'o' | 'h' => {}
                'z' | 'j' | 'J' => return Err("compression is not simulated by the sandbox".to_owned()),
                other => return Err(format!("unrecognized option: {other}")),
            }
        }
    }
    match [wish.create, wish.extract, wish.list].iter().filter(|w| **w).count() {
        1 => Ok(wish),
        _ => Err("must specify one of -c, -x, -t".to_owned()),
    }
}

/// Said at once: kubectl may stop to listen when the archive is whole.
struct Complaints<'i> {
    io: &'i Io,
    clock: &'i Clock,
    said: usize,
}

impl Complaints<'_> {
    fn say(&mut self, text: String) {
        self.said += 1;
        if self.said <= 20 {
            let _ = self.io.stderr.blocking_write(self.clock, format!("tar: {text}\n").into());
        }
    }

    fn status(&self) -> i32 {
        if self.said > 0 {
            let _ = self.io.stderr.blocking_write(self.clock, "tar: error exit delayed from previous errors\n".into());
        }
        i32::from(self.said > 0)
    }
}

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

fn create(places: &Places, clock: &Clock, io: &Io, base: &str, wish: &Wish) -> i32 {
    let mut complaints = Complaints { io, clock, said: 0 };
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

fn extract(places: &Places, clock: &Clock, io: &Io, base: &str, wish: &Wish) -> i32 {
    let mut complaints = Complaints { io, clock, said: 0 };
    let mut archive = Archive::new(Source { input: &io.stdin, rest: Bytes::new() }.take(STREAM));
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
