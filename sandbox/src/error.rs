//! Why the sandbox could not start. What it answers to clients is [`crate::machinery::status::Refusal`].

use std::path::PathBuf;

/// The sandbox could not start, or could not keep its state.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the data directory could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The loopback port could not be taken.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// The port asked for; 0 means any.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process uses the data directory.
    #[error("{0} is in use by another sandbox")]
    InUse(PathBuf),
    /// The self-signed certificate could not be made or loaded.
    #[error("certificate: {0}")]
    Certificate(String),
    /// A line of the object log, other than the last, cannot be read.
    #[error("{path}, line {line}: {message}")]
    Log {
        /// The log.
        path: PathBuf,
        /// Its line, from 1.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// The object log was written by a version that wrote it otherwise.
    #[error("{0} is in a format that this version does not read; delete the file to start without its objects, or keep to the version that wrote it")]
    Format(PathBuf),
    /// The declared stages are wrong: a mistake in this crate.
    #[error("stages: {0}")]
    Stages(String),
}

impl Error {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::File { path, source }
    }
}
