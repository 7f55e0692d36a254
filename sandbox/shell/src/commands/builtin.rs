//! What changes the shell itself.

use std::sync::Arc;

use super::known::{BUILTINS, PROGRAMS};
use super::options::options;
use crate::io::Io;
use crate::places::absolute;
use crate::process::Process;
use crate::stop::{Run, Stop};

pub(super) fn leave(process: &Process, name: &str, args: &[String]) -> Run<i32> {
    match name {
        "break" | "continue" if process.loops == 0 => Ok(0),
        "break" => Err(Stop::Break),
        "continue" => Err(Stop::Continue),
        _ => Err(Stop::Exit(args.first().map_or(process.status, |code| code.parse::<i64>().map_or(2, |code| (code & 0xff) as i32)))),
    }
}

/// Signals with their numbers; the first of these ends nothing.
const SIGNALS: &[(&str, i32)] = &[("0", 0), ("HUP", 1), ("INT", 2), ("QUIT", 3), ("KILL", 9), ("USR1", 10), ("USR2", 12), ("TERM", 15)];

/// There is nobody but the process itself and the container's first, which no signal reaches.
pub(super) async fn kill(process: &Process, io: &Io, args: &[String]) -> Run<i32> {
    let (signal, pids) = match args.split_first() {
        Some((first, rest)) if first.starts_with('-') => (first.trim_start_matches('-').trim_start_matches("SIG"), rest),
        _ => ("TERM", args),
    };
    let Some((_, number)) = SIGNALS.iter().find(|(name, number)| *name == signal || number.to_string() == signal) else {
        process.complain(io, &format!("sh: bad signal name '{signal}'")).await?;
        return Ok(1);
    };
    for pid in pids {
        let itself = process.parameter("$").as_ref() == Some(pid);
        if itself && *number != 0 {
            return Err(Stop::Exit(128 + number));
        }
        if !itself && pid != "1" {
            process.complain(io, &format!("sh: can't kill pid {pid}: No such process")).await?;
            return Ok(1);
        }
    }
    Ok(0)
}

pub(super) async fn cd(process: &mut Process, io: &Io, args: &[String]) -> Run<i32> {
    let home = process.variable("HOME").to_owned();
    let to = args.first().map_or(home.as_str(), String::as_str);
    let path = if to == "-" { process.variable("OLDPWD").to_owned() } else { absolute(&process.cwd, to) };
    match process.container.places.stat(&path) {
        Ok(node) if node.is_dir() => {
            let old = std::mem::replace(&mut process.cwd, path);
            process.assign("OLDPWD", old)?;
            Ok(0)
        }
        other => {
            let why = other.map_or_else(|fault| fault.to_string(), |_| "Not a directory".to_owned());
            process.complain(io, &format!("sh: cd: line 0: can't cd to {to}: {why}")).await?;
            Ok(2)
        }
    }
}

pub(super) async fn variables(process: &mut Process, io: &Io, name: &str, args: &[String]) -> Run<i32> {
    match name {
        "set" => {
            for arg in args {
                match arg.strip_prefix(['-', '+']) {
                    Some(letters) => process.strict = if letters.contains('e') { arg.starts_with('-') } else { process.strict },
                    None => process.arguments = Arc::new(args.iter().filter(|a| !a.starts_with('-')).cloned().collect()),
                }
            }
        }
        "shift" => process.arguments = Arc::new(process.arguments.iter().skip(1).cloned().collect()),
        "unset" => args.iter().for_each(|name| process.variables.remove(name)),
        _ if args.is_empty() => {
            let all: String = process.variables.exported().map(|(name, value)| format!("export {name}='{value}'\n")).collect();
            process.say(io, all).await?;
        }
        _ => {
            for arg in args {
                let (name, value) = arg.split_once('=').map_or((arg.as_str(), None), |(name, value)| (name, Some(value.to_owned())));
                let value = value.unwrap_or_else(|| process.variable(name).to_owned());
                process.variables.set(name, value, true)?;
            }
        }
    }
    Ok(0)
}

/// Reads a line into variables, the last of which takes the rest.
pub(super) async fn read(process: &mut Process, io: &Io, args: &[String]) -> Run<i32> {
    let (_, names) = options(args);
    let line = io.stdin.line().await;
    let text = line.as_ref().map(|l| String::from_utf8_lossy(l).into_owned()).unwrap_or_default();
    let mut rest = text.trim();
    for (index, name) in names.iter().enumerate() {
        let word = if index + 1 == names.len() { rest } else { rest.split([' ', '\t']).next().unwrap_or_default() };
        process.assign(name, word.to_owned())?;
        rest = rest[word.len()..].trim_start();
    }
    Ok(i32::from(line.is_none()))
}

pub(super) async fn help(process: &mut Process, io: &Io) -> Run<i32> {
    let text = format!(
        "Nothing really runs here: a KubeKCloud sandbox simulates this container.\nIts files are kept in memory until the container ends.\n\nCommands: {}\nIn the shell: {}\n",
        PROGRAMS.join(" "),
        BUILTINS.join(" ")
    );
    process.say(io, text).await?;
    Ok(0)
}
