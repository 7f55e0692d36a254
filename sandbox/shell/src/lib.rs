//! What is "inside" a simulated container: a file tree in memory and a small POSIX-like shell with the commands that
//! people try first.
//!
//! Nothing here touches the host: no process is started, no file or environment variable of the machine is read, no
//! network is used. Everything is bounded, because whoever may `exec` may try: the tree in bytes ([`tree`]), pipes in
//! chunks ([`io`]), text in length and scripts in depth ([`parse`], [`process`]), and work in steps ([`clock`]).
//! The same interpreter makes up a container's log, on a clock that is played back ([`clock`]), from the container's own
//! command where the shell knows it; and it is run ahead to tell when that command will end, and how ([`ahead`]).
//!
//! Deliberately missing: background jobs, functions, `case`, here-documents, symbolic links, other users than root.

pub mod ahead;
pub mod clock;
mod commands;
mod interactive;
mod interpret;
pub mod io;
mod parse;
mod pattern;
pub mod places;
mod process;
mod start;
mod stop;
mod syntax;
pub mod tree;
pub mod tty;
mod words;

#[cfg(test)]
mod tests;

pub use commands::known::{PROGRAMS, exists};
pub use process::Container;
pub use start::{NotStarted, start};
