//! What `tar` complains about, on its standard error stream.

use crate::clock::Clock;
use crate::io::Io;

/// Said at once: kubectl may stop to listen when the archive is whole.
pub(super) struct Complaints<'i> {
    io: &'i Io,
    clock: &'i Clock,
    said: usize,
}

impl<'i> Complaints<'i> {
    pub(super) fn new(io: &'i Io, clock: &'i Clock) -> Self {
        Complaints { io, clock, said: 0 }
    }

    pub(super) fn say(&mut self, text: String) {
        self.said += 1;
        if self.said <= 20 {
            let _ = self.io.stderr.blocking_write(self.clock, format!("tar: {text}\n").into());
        }
    }

    pub(super) fn status(&self) -> i32 {
        if self.said > 0 {
            let _ = self.io.stderr.blocking_write(self.clock, "tar: error exit delayed from previous errors\n".into());
        }
        i32::from(self.said > 0)
    }
}
