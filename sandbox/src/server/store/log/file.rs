//! What the log does with its file, so that tests can have a full disk.

use std::fmt::Debug;
use std::fs::File;
use std::io::{Result, Write};

/// A file that only grows at its end, except for what could not be written whole.
pub(super) trait Appended: Write + Debug + Send + Sync {
    /// Forgets what stands after the first `length` bytes.
    fn cut(&self, length: u64) -> Result<()>;
    /// Brings what was written to the disk.
    fn sync(&self) -> Result<()>;
}

impl Appended for File {
    fn cut(&self, length: u64) -> Result<()> {
        self.set_len(length)
    }

    fn sync(&self) -> Result<()> {
        self.sync_data()
    }
}
