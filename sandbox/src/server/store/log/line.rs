//! The lines of the log. The first says how the others are to be read; a line without an object removes one.

use std::borrow::Cow;
use std::io::{Result, Write};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::super::Key;
use super::super::text::Text;

/// Counts up when lines mean something else, so that a log is never read for what it is not.
const FORMAT: u64 = 2;

/// The first line.
#[derive(Serialize, Deserialize)]
pub(super) struct Head {
    format: u64,
    pub(super) version: u64,
}

impl Head {
    pub(super) fn at(version: u64) -> Self {
        Head { format: FORMAT, version }
    }

    /// The first line of a log that is in this format.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok().filter(|head: &Head| head.format == FORMAT)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        out.write_all(b"\n")
    }
}

/// What happened to one object.
#[derive(Deserialize)]
pub(super) struct Line<'l> {
    pub(super) version: u64,
    #[serde(borrow)]
    pub(super) table: Cow<'l, str>,
    #[serde(borrow)]
    pub(super) namespace: Cow<'l, str>,
    #[serde(borrow)]
    pub(super) name: Cow<'l, str>,
    #[serde(borrow)]
    pub(super) object: Option<&'l RawValue>,
}

/// Writes a line. The object's text is a line already, and goes in as it is.
pub(super) fn write(out: &mut Vec<u8>, version: u64, table: &str, key: &Key, object: Option<&Text>) -> Result<()> {
    write!(out, r#"{{"version":{version},"table":"#)?;
    serde_json::to_writer(&mut *out, table)?;
    out.extend_from_slice(br#","namespace":"#);
    serde_json::to_writer(&mut *out, &key.namespace)?;
    out.extend_from_slice(br#","name":"#);
    serde_json::to_writer(&mut *out, &key.name)?;
    if let Some(object) = object {
        out.extend_from_slice(br#","object":"#);
        object.append_to(out);
    }
    out.write_all(b"}\n")
}
