//! Where the streams of a command lead.

use super::expand;
use crate::io::{Input, Io, Output, PIECE};
use crate::places::absolute;
use crate::process::Process;
use crate::stop::Run;
use crate::syntax::{Redirect, To};
use crate::tree::Fault;

/// The streams after redirection; `None` when a file can't be opened.
pub(super) async fn redirected(process: &mut Process, io: &Io, redirects: &[Redirect]) -> Run<Option<Io>> {
    let mut out = io.clone();
    for Redirect { from, to } in redirects {
        if let To::Stream(stream) = to {
            let stream = if *stream == 2 { out.stderr.clone() } else { out.stdout.clone() };
            if *from == 2 {
                out.stderr = stream
            } else {
                out.stdout = stream
            }
            continue;
        }
        let (To::Read(word) | To::Write(word) | To::Append(word)) = to else { continue };
        let name = expand::one(process, io, word).await?;
        let path = absolute(&process.cwd, &name);
        let places = &process.container.places;
        let now = process.clock.seconds();
        let mut read = 0;
        let file = |opened: Result<(), Fault>| opened.map(|()| Some(Output::File(places.clone(), path.clone())));
        let opened = match (to, path.as_str()) {
            (To::Read(_), _) => places.read(&path).map(|content| {
                read = content.len() as u64;
                out.stdin = Input::fixed(content.to_vec().into());
                None
            }),
            (_, "/dev/null") => Ok(Some(Output::Null)),
            (_, "/dev/stdout") => Ok(Some(io.stdout.clone())),
            (_, "/dev/stderr") => Ok(Some(io.stderr.clone())),
            (To::Append(_), _) => file(places.append(&path, b"", now)),
            _ => file(places.write(&path, vec![], None, now)),
        };
        process.clock.work(read / PIECE)?;
        match opened {
            Ok(Some(output)) if *from == 2 => out.stderr = output,
            Ok(Some(output)) => out.stdout = output,
            Ok(None) => {}
            Err(fault) => {
                let creates = !matches!(to, To::Read(_));
                let verb = if creates { "can't create" } else { "can't open" };
                process.complain(io, &format!("sh: {verb} {name}: {}", worded(fault, creates))).await?;
                return Ok(None);
            }
        }
    }
    Ok(Some(out))
}

/// Busybox' shell has words of its own for some faults.
fn worded(fault: Fault, creates: bool) -> String {
    match fault {
        Fault::NotFound if creates => "nonexistent directory".to_owned(),
        Fault::NotFound => "no such file".to_owned(),
        fault => fault.to_string(),
    }
}
