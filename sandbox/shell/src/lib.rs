//! A small POSIX-like shell over a file tree in memory: what is inside a simulated container, with the commands that people
//! try first.
//!
//! A [`Container`] is files ([`places`], [`tree`]), variables and a name. A process in it is one of three things: a client's,
//! which runs now ([`start`] on a live [`clock`], with streams ([`io`]) and perhaps a terminal ([`tty`])); the container's own, whose log is
//! played back from its start; or the same, run ahead to tell when it will end, and how ([`ahead`]). All of them are carried
//! out by one interpreter.
//!
//! Nothing here touches the host: no process is started, no file or environment variable of the machine is read, no
//! network is used. Everything is bounded, because whoever may `exec` may try: trees in bytes, pipes in chunks, text in
//! length, scripts and whatever runs itself in depth, and work in steps.
//!
//! It knows no Kubernetes: what a Pod is, which files a container begins with, and what the end of a process means is for
//! whoever calls. Deliberately missing: background jobs, functions, `case`, here-documents, symbolic links, other users than
//! root, compression. A command that is not in [`PROGRAMS`] is not there.

#![warn(missing_docs)]

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
mod variables;
mod words;

#[cfg(test)]
mod tests;

pub use commands::known::{PROGRAMS, exists};
pub use process::Container;
pub use start::{NotStarted, start};
