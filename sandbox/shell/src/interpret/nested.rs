//! Commands that run others: a shell, `command`, `exec`, `env`.

use std::sync::Arc;

use super::{call, run};
use crate::commands::known::{BUILTINS, is_program};
use crate::commands::options::options;
use crate::io::Io;
use crate::parse;
use crate::places::absolute;
use crate::process::Process;
use crate::stop::{Run, Stop};

/// A script from `-c`, from a file, or from the standard input, line by line.
pub(super) async fn sh(process: &mut Process, io: &Io, args: &[String]) -> Run<i32> {
    let (letters, rest) = options(args);
    let mut inner = process.fork(io).await?;
    inner.strict = letters.contains('e');
    inner.loops = 0;
    if letters.contains('c') {
        let Some((script, rest)) = rest.split_first() else {
            process.complain(io, "sh: -c requires an argument").await?;
            return Ok(2);
        };
        inner.arguments = Arc::new(rest.iter().skip(1).cloned().collect());
        return ended(script_of(&mut inner, io, script).await);
    }
    if let Some((file, rest)) = rest.split_first() {
        let Ok(content) = process.container.places.read(&absolute(&process.cwd, file)) else {
            process.complain(io, &format!("sh: can't open '{file}': No such file or directory")).await?;
            return Ok(2);
        };
        inner.arguments = Arc::new(rest.to_vec());
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

/// `command -v NAME`, or a command as it is.
pub(super) async fn command(process: &mut Process, io: &Io, args: &[String]) -> Run<i32> {
    match args.split_first() {
        Some((flag, [name, ..])) if flag == "-v" => {
            if BUILTINS.contains(&name.as_str()) {
                process.say(io, format!("{name}\n")).await?;
            } else if is_program(process, name) {
                process.say(io, format!("/bin/{}\n", name.rsplit('/').next().unwrap_or(name))).await?;
            } else {
                process.clock.lack();
                return Ok(127);
            }
            Ok(0)
        }
        Some(_) => call::run(process, io, args).await,
        None => Ok(0),
    }
}

pub(super) async fn exec(process: &mut Process, io: &Io, args: &[String]) -> Run<i32> {
    if args.is_empty() {
        return Ok(0);
    }
    Err(Stop::Exit(call::run(process, io, args).await?))
}

/// `env [NAME=VALUE]... [COMMAND]` and `printenv [NAME]...`.
pub(super) async fn env(process: &mut Process, io: &Io, name: &str, args: &[String]) -> Run<i32> {
    if name == "printenv" && !args.is_empty() {
        let mut status = 0;
        for name in args {
            match process.variables.get(name).filter(|(_, exported)| *exported) {
                Some((value, _)) => process.say(io, format!("{value}\n")).await?,
                None => status = 1,
            }
        }
        return Ok(status);
    }
    let mut inner = process.fork(io).await?;
    let sets = args.iter().take_while(|a| a.contains('=')).count();
    for (name, value) in args[..sets].iter().filter_map(|a| a.split_once('=')) {
        inner.variables.set(name, value.to_owned(), true)?;
    }
    if sets < args.len() {
        return call::run(&mut inner, io, &args[sets..]).await;
    }
    let all: String = inner.variables.exported().map(|(name, value)| format!("{name}={value}\n")).collect();
    process.say(io, all).await?;
    Ok(0)
}
