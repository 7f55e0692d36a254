//! An answer that is read line by line while it comes, each line bounded.

use std::error::Error;

use bytes::{Bytes, BytesMut};
use futures::{Stream, TryStreamExt as _};
use http_body_util::BodyDataStream;
use kube::client::Body;

use crate::{MemberError, Result, error::chain};

pub(crate) struct Lines<S = BodyDataStream<Body>> {
    pieces: S,
    buffer: BytesMut,
    /// So much of the buffer has no end of line.
    scanned: usize,
    most: usize,
}

impl<S, E> Lines<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: Error + 'static,
{
    pub(crate) fn new(pieces: S, most: usize) -> Self {
        Self { pieces, buffer: BytesMut::new(), scanned: 0, most }
    }

    /// The next line, without its end; `None` at the end of the answer, where a part of a line is dropped. May be
    /// dropped at any time without a loss.
    pub(crate) async fn next(&mut self) -> Result<Option<BytesMut>> {
        loop {
            let end = self.buffer.iter().skip(self.scanned).position(|byte| *byte == b'\n').map(|at| self.scanned + at);
            if end.unwrap_or(self.buffer.len()) > self.most {
                return Err(MemberError::TooLarge(self.most));
            }
            if let Some(end) = end {
                let mut line = self.buffer.split_to(end + 1);
                line.truncate(end);
                self.scanned = 0;
                return Ok(Some(line));
            }
            self.scanned = self.buffer.len();
            match self.pieces.try_next().await {
                Ok(None) => return Ok(None),
                Ok(Some(piece)) => self.buffer.extend_from_slice(&piece),
                Err(error) => return Err(MemberError::Unreachable(chain(&error))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    /// Lines of pieces as they come from the network, and how it ended.
    async fn read(pieces: &[&str], most: usize) -> (Vec<String>, Option<&'static str>) {
        let pieces: Vec<_> = pieces.iter().map(|piece| Ok::<_, std::io::Error>(Bytes::from((*piece).to_owned()))).collect();
        let mut lines = Lines::new(stream::iter(pieces), most);
        let mut read = Vec::new();
        loop {
            match lines.next().await {
                Ok(Some(line)) => read.push(String::from_utf8_lossy(&line).into_owned()),
                Ok(None) => return (read, None),
                Err(error) => return (read, Some(error.reason())),
            }
        }
    }

    #[tokio::test]
    async fn lines_are_found_wherever_the_pieces_end() {
        assert_eq!(read(&["ab\ncd", "ef", "\n\ngh\n", "half"], 10).await, (["ab", "cdef", "", "gh"].map(String::from).into(), None));
        assert_eq!(read(&[], 10).await, (vec![], None));
    }

    #[tokio::test]
    async fn a_line_without_an_end_is_not_read_for_ever() {
        assert_eq!(read(&["ok\n", "12345", "67890", "1", "never seen\n"], 10).await, (vec!["ok".into()], Some("TooLarge")));
        assert_eq!(read(&["12345678901\n"], 10).await, (vec![], Some("TooLarge")));
        assert_eq!(read(&["1234567890\n"], 10).await, (vec!["1234567890".into()], None));
    }
}
