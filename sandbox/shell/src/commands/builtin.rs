//! What changes the shell itself.

use super::{BUILTINS, PROGRAMS, is_program, options};
use crate::io::{Io, Run, Stop};
use crate::places::absolute;
use crate::process::Process;
use crate::{parse, run};

/// A script from `-c`, from a file, or from the standard input, line by line.
pub(super) async fn sh(process: &mut Process, io: &Io, args: &[String]) -> Run<i32> {
    let (letters, rest) = options(args);
    let mut inner = process.fork();
    inner.strict = letters.contains('e');
    if letters.contains('c') {
        let Some((script, rest)) = rest.split_first() else {
            process.complain(io, "sh: -c requires an argument").await?;
            return Ok(2);
        };
        inner.arguments = rest.iter().skip(1).cloned().collect();
        return ended(script_of(&mut inner, io, script).await);
    }
    if let Some((file, rest)) = rest.split_first() {
        let Ok(content) = process.container.places.read(&absolute(&process.cwd, file)) else {
            process.complain(io, &format!("sh: can't open '{file}': No such file or directory")).await?;
            return Ok(2);
        };
        inner.arguments = rest.to_vec();
        return ended(script_of(&mut inner, io, &String::from_utf8_lossy(&content)).await);
    }
    ended(lines(&mut inner, io).await)
}

/// Leaving a shell leaves only this one.
fn ended(ended: Run<i32>) -> Run<i32> {
    match ended {
        Err(Stop::Exit(status)) => Ok(status),
        Err(Stop::Break | Stop::Continue) => Ok(0),
        other => other,
    }
}

async fn script_of(process: &mut Process, io: &Io, script: &str) -> Run<i32> {
    match parse::parse(script) {
        Ok(list) => run::list(process, io, &list).await,
        Err(wrong) => {
            process.complain(io, &format!("sh: {wrong}")).await?;
            Ok(2)
        }
    }
}

async fn lines(process: &mut Process, io: &Io) -> Run<i32> {
    let mut script = String::new();
    while let Some(line) = io.stdin.line().await {
        script.push_str(&String::from_utf8_lossy(&line));
        match parse::parse(&script) {
            Err(wrong) if parse::is_open(&wrong) => continue,
            _ => script_of(process, io, &script).await.map(|status| process.status = status)?,
        }
        script.clear();
    }
    if script.is_empty() { Ok(process.status) } else { script_of(process, io, &script).await }
}

pub(super) fn leave(process: &Process, name: &str, args: &[String]) -> Run<i32> {
    match name {
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
            process.assign("OLDPWD", old);
            Ok(0)
        }
        other => {
            let why = other.map_or_else(|fault| fault.to_string(), |_| "Not a directory".to_owned());
            process.complain(io, &format!("sh: cd: line 0: can't cd to {to}: {why}")).await?;
            Ok(2)
        }
    }
}

/// `command -v NAME`, or a command as it is.
pub(super) async fn command(process: &mut Process, io: &Io, args: &[String]) -> Run<i32> {
    match args.split_first() {
        Some((flag, [name, ..])) if flag == "-v" => {
            if BUILTINS.contains(&name.as_str()) {
                process.say(io, format!("{name}\n")).await?;
            } else if is_program(process, name) {
                process.say(io, format!("/bin/{}\n", name.rsplit('/').next().unwrap_or(name))).await?;
            } else {
                return Ok(127);
            }
            Ok(0)
        }
        Some(_) => super::run(process, io, args).await,
        None => Ok(0),
    }
}

pub(super) async fn exec(process: &mut Process, io: &Io, args: &[String]) -> Run<i32> {
    if args.is_empty() {
        return Ok(0);
    }
    Err(Stop::Exit(super::run(process, io, args).await?))
}

pub(super) async fn variables(process: &mut Process, io: &Io, name: &str, args: &[String]) -> Run<i32> {
    match name {
        "set" => {
            for arg in args {
                match arg.strip_prefix(['-', '+']) {
                    Some(letters) => process.strict = if letters.contains('e') { arg.starts_with('-') } else { process.strict },
                    None => process.arguments = args.iter().filter(|a| !a.starts_with('-')).cloned().collect(),
                }
            }
        }
        "shift" => drop(process.arguments.drain(..process.arguments.len().min(1))),
        "unset" => args.iter().for_each(|name| drop(process.variables.remove(name))),
        _ if args.is_empty() => {
            let all: String = process.variables.iter().filter(|(_, (_, out))| *out).map(|(k, (v, _))| format!("export {k}='{v}'\n")).collect();
            process.say(io, all).await?;
        }
        _ => {
            for arg in args {
                let (name, value) = arg.split_once('=').map_or((arg.as_str(), None), |(name, value)| (name, Some(value.to_owned())));
                process.assign(name, value.unwrap_or_else(|| process.variable(name).to_owned()));
                if let Some((_, exported)) = process.variables.get_mut(name) {
                    *exported = true;
                }
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
        process.assign(name, word.to_owned());
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
