//! `sh` at a terminal: a prompt, one command after the other, Ctrl-C back to the prompt.

use super::interpret::run;
use super::io::Io;
use super::parse;
use super::places::shown;
use super::process::Process;
use super::stop::{Run, Stop};

const GREETING: &str = "This is a KubeKCloud sandbox: a simulated container with a small shell. `help` lists its commands.\n";

/// A shell without a script of its own.
pub(crate) fn is_wanted(argv: &[String]) -> bool {
    let name = argv.first().and_then(|n| n.rsplit('/').next()).unwrap_or_default();
    matches!(name, "sh" | "bash" | "ash" | "dash") && argv[1..].iter().all(|a| a.starts_with('-') && !a.contains('c'))
}

pub(crate) async fn shell(process: &mut Process, io: &Io) -> Run<i32> {
    process.say(io, GREETING).await?;
    let mut script = String::new();
    loop {
        let prompt = if script.is_empty() { format!("{} # ", shown(&process.cwd)) } else { "> ".to_owned() };
        process.say(io, prompt).await?;
        let Some(tty) = process.tty.clone() else { return Ok(process.status) };
        let line = tokio::select! {
            line = io.stdin.line() => line,
            () = tty.interrupted() => {
                script.clear();
                continue;
            }
        };
        let Some(line) = line else {
            process.say(io, "\n").await?;
            return Ok(process.status);
        };
        script.push_str(&String::from_utf8_lossy(&line));
        match parse::parse(&script) {
            Err(wrong) if parse::is_open(&wrong) && script.len() < 4_096 => continue,
            Err(wrong) => {
                process.status = 2;
                process.complain(io, &format!("sh: {wrong}")).await?;
            }
            Ok(list) => {
                let ended = tokio::select! {
                    ended = run::list(process, io, &list) => ended,
                    () = tty.interrupted() => Err(Stop::Continue),
                };
                // Ctrl-C leaves whatever ran without a return from it.
                (process.depth, process.loops) = (0, 0);
                match ended {
                    Ok(_) | Err(Stop::Break) => {}
                    Err(Stop::Continue) => process.status = 130,
                    Err(stop) => return Err(stop),
                }
            }
        }
        script.clear();
    }
}
