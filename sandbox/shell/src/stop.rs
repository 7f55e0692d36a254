//! What leaves a script, a loop or a process early.

/// Why a process ends before its program does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// `exit`, or a signal.
    Exit(i32),
    /// Nobody reads its output any more.
    Broken,
    /// The clock has come to its end, or the work that is done for one process.
    Ended,
    /// It has used up its memory.
    Full,
    Break,
    Continue,
}

pub(crate) type Run<T> = Result<T, Stop>;
