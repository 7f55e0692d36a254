//! How many commits a SQLite database has taken, read off its write-ahead log. Reads leave no trace.

use anyhow::{Context, Result};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// Counts while it is looked at: at least once before the log begins anew.
pub(super) struct Commits {
    log: PathBuf,
    last: Log,
    since: usize,
}

/// What a log holds.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Log {
    /// Others after it began anew.
    salts: [u8; 8],
    commits: usize,
}

impl Commits {
    /// From now on.
    pub(super) fn of(database: &Path) -> Result<Self> {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        let log = PathBuf::from(log);
        Ok(Self { last: read(&log)?, log, since: 0 })
    }

    /// So far.
    pub(super) fn look(&mut self) -> Result<usize> {
        let now = read(&self.log)?;
        let known = if now.salts == self.last.salts { self.last.commits } else { 0 };
        self.since += now.commits.saturating_sub(known);
        self.last = now;
        Ok(self.since)
    }
}

fn read(log: &Path) -> Result<Log> {
    match fs::read(log) {
        Ok(bytes) => Ok(parse(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Log::default()),
        Err(error) => Err(error).with_context(|| format!("read {}", log.display())),
    }
}

/// <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>
fn parse(bytes: &[u8]) -> Log {
    let Some((header, frames)) = bytes.split_at_checked(HEADER) else { return Log::default() };
    let number = |bytes: &[u8]| bytes.iter().fold(0, |number: usize, byte| number << 8 | usize::from(*byte));
    let (page, mut salts) = (number(&header[8..12]), [0; 8]);
    salts.copy_from_slice(&header[16..24]);
    // What is left of an earlier log has its salts; a last frame of a commit holds the database's size.
    let ours = frames.chunks_exact(FRAME_HEADER + page).take_while(|frame| frame[8..16] == salts);
    Log { salts, commits: ours.filter(|frame| number(&frame[4..8]) > 0).count() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(size: u32, salt: u8) -> Vec<u8> {
        let mut frame = vec![0; FRAME_HEADER + 512];
        frame[4..8].copy_from_slice(&size.to_be_bytes());
        frame[8..16].fill(salt);
        frame
    }

    #[test]
    fn commits_are_counted_and_what_is_left_of_an_earlier_log_is_not() {
        let mut header = vec![0; HEADER];
        header[8..12].copy_from_slice(&512_u32.to_be_bytes());
        header[16..24].fill(7);
        let log = [header.clone(), frame(0, 7), frame(9, 7), frame(9, 7), frame(9, 6)].concat();
        assert_eq!(parse(&log), Log { salts: [7; 8], commits: 2 });
        assert_eq!(parse(&header).commits, 0);
        assert_eq!(parse(b""), Log::default());
    }
}
