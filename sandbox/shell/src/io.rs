//! Standard streams. Pipes hold a few chunks and make the writer wait; nothing grows without end.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};

use bytes::{Bytes, BytesMut};
use tokio::sync::{Mutex, mpsc};

use super::clock::Clock;
use super::places::Places;
use super::stop::{Run, Stop};

/// Chunks that wait in a pipe.
const WAITING: usize = 8;
/// A longer line is given out in pieces.
const LINE: usize = 64 << 10;

/// Bytes whose reading or writing is as much work as a command.
pub(crate) const PIECE: u64 = 4 << 10;

/// What a process reads. Clones read from the same stream.
#[derive(Debug, Clone)]
pub struct Input(Arc<Mutex<Source>>);

#[derive(Debug)]
struct Source {
    feed: Feed,
    rest: Bytes,
}

/// Where more comes from.
#[derive(Debug)]
enum Feed {
    Nowhere,
    Pipe(mpsc::Receiver<Bytes>),
    Silence,
}

impl Input {
    /// At its end.
    pub fn empty() -> Self {
        Input::fixed(Bytes::new())
    }

    /// These bytes and no more.
    pub(crate) fn fixed(rest: Bytes) -> Self {
        Input(Arc::new(Mutex::new(Source { feed: Feed::Nowhere, rest })))
    }

    /// Open, and nothing ever comes: whoever reads it waits for ever, or runs on ([`crate::ahead`]).
    pub fn silent() -> Self {
        Input(Arc::new(Mutex::new(Source { feed: Feed::Silence, rest: Bytes::new() })))
    }

    /// The next bytes; `None` at the end.
    pub(crate) async fn chunk(&self) -> Option<Bytes> {
        self.0.lock().await.chunk().await
    }

    /// The next line with its end; `None` when there is no more.
    pub(crate) async fn line(&self) -> Option<Bytes> {
        let mut source = self.0.lock().await;
        let mut line = BytesMut::new();
        loop {
            let Some(mut chunk) = source.chunk().await else { return (!line.is_empty()).then(|| line.freeze()) };
            let end = chunk.iter().position(|b| *b == b'\n').map(|at| at + 1);
            source.rest = chunk.split_off(end.unwrap_or(chunk.len()));
            line.extend_from_slice(&chunk);
            if end.is_some() || line.len() >= LINE {
                return Some(line.freeze());
            }
        }
    }

    /// The next bytes, for a thread that may block.
    pub(crate) fn blocking_chunk(&self) -> Option<Bytes> {
        // Not every thread may wait, and nobody else reads meanwhile.
        let mut source = self.0.try_lock().unwrap_or_else(|_| self.0.blocking_lock());
        if !source.rest.is_empty() {
            return Some(std::mem::take(&mut source.rest));
        }
        match &mut source.feed {
            Feed::Pipe(pipe) => pipe.blocking_recv(),
            Feed::Nowhere | Feed::Silence => None,
        }
    }
}

impl Source {
    async fn chunk(&mut self) -> Option<Bytes> {
        while self.rest.is_empty() {
            self.rest = match &mut self.feed {
                Feed::Nowhere => return None,
                Feed::Pipe(pipe) => pipe.recv().await?,
                Feed::Silence => std::future::pending().await,
            };
        }
        Some(std::mem::take(&mut self.rest))
    }
}

/// Where a process writes to.
#[derive(Debug, Clone)]
pub enum Output {
    /// Whoever listens at the other end; when nobody does, the process ends as by SIGPIPE.
    Pipe(mpsc::Sender<Bytes>),
    /// A file's end: its path is absolute and clean ([`crate::places::absolute`]).
    File(Places, String),
    /// Lines with the time of their end, and the part of one that has no end yet.
    Lines(Arc<Mutex<BytesMut>>, mpsc::Sender<Line>),
    /// The end of what is written.
    Kept(Kept),
    /// Nobody.
    Null,
}

/// The last bytes of what was written, up to a bound. Clones share them.
#[derive(Debug, Clone)]
pub struct Kept {
    last: Arc<std::sync::Mutex<VecDeque<u8>>>,
    most: usize,
}

impl Kept {
    pub(crate) fn new(most: usize) -> Self {
        Kept { last: Arc::default(), most }
    }

    pub(crate) fn add(&self, bytes: &[u8]) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.extend(&bytes[bytes.len().saturating_sub(self.most)..]);
        let over = last.len().saturating_sub(self.most);
        last.drain(..over);
    }

    pub(crate) fn take(&self) -> Bytes {
        Vec::from(std::mem::take(&mut *self.last.lock().unwrap_or_else(PoisonError::into_inner))).into()
    }
}

/// A line of a log, with its line end.
#[derive(Debug, Clone)]
pub struct Line {
    /// When its end was written, on the clock of the process.
    pub at: jiff::Timestamp,
    /// Its bytes, the line end among them; a line of more than 64 KiB comes in pieces without.
    pub text: Bytes,
}

/// Both ends of a pipe, which holds a few chunks and then makes the writer wait.
pub(crate) fn pipe() -> (Output, Input) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (Output::Pipe(sender), input(receiver))
}

/// What comes through a channel, until it is closed.
pub fn input(receiver: mpsc::Receiver<Bytes>) -> Input {
    Input(Arc::new(Mutex::new(Source { feed: Feed::Pipe(receiver), rest: Bytes::new() })))
}

impl Output {
    pub(crate) async fn write(&self, clock: &Clock, bytes: Bytes) -> Run<()> {
        clock.work(bytes.len() as u64 / PIECE)?;
        match self {
            Output::Null => Ok(()),
            Output::Kept(kept) => {
                kept.add(&bytes);
                Ok(())
            }
            Output::Pipe(_) | Output::Lines(..) if bytes.is_empty() => Ok(()),
            Output::Pipe(pipe) => pipe.send(bytes).await.map_err(|_| Stop::Broken),
            Output::File(places, path) => places.append(path, &bytes, clock.seconds()).map_err(|_| Stop::Exit(1)),
            Output::Lines(part, lines) => {
                let mut part = part.lock().await;
                part.extend_from_slice(&bytes);
                while let Some(end) = part.iter().position(|b| *b == b'\n').or((part.len() > LINE).then_some(LINE)) {
                    let text = part.split_to(end + 1).freeze();
                    lines.send(Line { at: clock.now(), text }).await.map_err(|_| Stop::Broken)?;
                }
                Ok(())
            }
        }
    }

    pub(crate) fn blocking_write(&self, clock: &Clock, bytes: Bytes) -> Run<()> {
        clock.work(bytes.len() as u64 / PIECE)?;
        match self {
            Output::Pipe(pipe) => pipe.blocking_send(bytes).map_err(|_| Stop::Broken),
            Output::File(places, path) => places.append(path, &bytes, clock.seconds()).map_err(|_| Stop::Exit(1)),
            Output::Kept(kept) => {
                kept.add(&bytes);
                Ok(())
            }
            // An archive has no place in a log.
            Output::Lines(..) | Output::Null => Ok(()),
        }
    }

    /// Sends the last line of a log, which may lack its end. To be called when the process has ended.
    pub async fn finish(&self, clock: &Clock) {
        if let Output::Lines(part, lines) = self {
            let text = part.lock().await.split().freeze();
            if !text.is_empty() {
                let _ = lines.send(Line { at: clock.now(), text }).await;
            }
        }
    }
}

/// The three streams of a process.
#[derive(Debug, Clone)]
pub struct Io {
    /// Standard input.
    pub stdin: Input,
    /// Standard output.
    pub stdout: Output,
    /// Where complaints go.
    pub stderr: Output,
}
