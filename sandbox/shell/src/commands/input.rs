//! What commands read: the files named, or the standard input.

use crate::io::{Input, Io, PIECE};
use crate::places::absolute;
use crate::process::Process;
use crate::stop::Run;
use crate::tree::Fault;

/// What `sort`, `tail` and the like hold at most.
pub(super) const HELD: usize = 1 << 20;

/// The files named, or the standard input; a missing one is complained about.
pub(super) async fn inputs<'a>(process: &Process, io: &Io, name: &str, files: &'a [String]) -> Run<(Vec<(&'a str, Input)>, i32)> {
    if files.is_empty() {
        return Ok((vec![("", io.stdin.clone())], 0));
    }
    let (mut found, mut status) = (Vec::new(), 0);
    for file in files {
        let path = absolute(&process.cwd, file);
        match process.container.places.read(&path) {
            _ if file == "-" || path == "/dev/stdin" => found.push(("-", io.stdin.clone())),
            Ok(content) => {
                process.clock.work(content.len() as u64 / PIECE)?;
                found.push((file, Input::fixed(content.to_vec().into())));
            }
            Err(fault) => {
                let why = match fault {
                    Fault::IsDirectory => "read error".to_owned(),
                    _ if name == "grep" => file.clone(),
                    _ => format!("can't open '{file}'"),
                };
                process.complain(io, &format!("{name}: {why}: {fault}")).await?;
                status = 1;
            }
        }
    }
    Ok((found, status))
}

/// All of a stream; `None` when that is more than is held.
pub(super) async fn all(input: &Input) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    while let Some(chunk) = input.chunk().await {
        out.extend_from_slice(&chunk);
        if out.len() > HELD {
            return None;
        }
    }
    Some(out)
}

/// The end of a stream, as far as it is held.
pub(super) async fn last(input: &Input) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(chunk) = input.chunk().await {
        out.extend_from_slice(&chunk);
        if out.len() > 2 * HELD {
            out.drain(..out.len() - HELD);
        }
    }
    out
}

/// The begin of a stream.
pub(super) async fn first(input: &Input, bytes: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while out.len() < bytes.min(HELD)
        && let Some(chunk) = input.chunk().await
    {
        out.extend_from_slice(&chunk);
    }
    out.truncate(bytes);
    out
}
