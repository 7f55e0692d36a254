//! The commands. Each prints what busybox's would, as far as it goes; an option it doesn't know is said to be unknown.

mod archive;
mod arithmetic;
mod builtin;
mod files;
mod look;
mod system;
mod test;
mod text;

use futures::FutureExt;
use futures::future::BoxFuture;

pub(crate) use arithmetic::sum;

use super::io::{Io, Run};
use super::places::absolute;
use super::process::Process;
use super::tree::Fault;

/// What is in `/bin`.
pub const PROGRAMS: &[&str] = &[
    "ash", "basename", "bash", "cat", "chmod", "cp", "date", "dirname", "echo", "env", "false", "find", "grep", "head", "hostname", "id", "ls",
    "mkdir", "mv", "nproc", "printenv", "printf", "ps", "pwd", "rm", "rmdir", "seq", "sh", "sleep", "sort", "stat", "tail", "tar", "tee", "test",
    "touch", "tr", "true", "uname", "uptime", "wc", "which", "whoami",
];

const BUILTINS: &[&str] =
    &[":", "[", "break", "cd", "command", "continue", "exec", "exit", "export", "help", "kill", "read", "set", "shift", "trap", "unset"];

/// A path as the container shows it.
pub(crate) fn shown(path: &str) -> String {
    if path.is_empty() { "/".to_owned() } else { path.to_owned() }
}

/// Busybox' shell has words of its own for some faults.
pub(crate) fn worded(fault: Fault, creates: bool) -> String {
    match fault {
        Fault::NotFound if creates => "nonexistent directory".to_owned(),
        Fault::NotFound => "no such file".to_owned(),
        fault => fault.to_string(),
    }
}

/// Whether the shell knows a program by this name.
pub fn exists(name: &str) -> bool {
    let name = ["/bin/", "/usr/bin/"].iter().find_map(|dir| name.strip_prefix(dir)).unwrap_or(name);
    PROGRAMS.contains(&name)
}

/// Whether a process can begin with this.
pub(crate) fn is_program(process: &Process, name: &str) -> bool {
    let (base, path) = match name.rsplit_once('/') {
        None => (name, format!("/bin/{name}")),
        Some((_, base)) => (base, absolute(&process.cwd, name)),
    };
    PROGRAMS.contains(&base) && process.container.places.stat(&path).is_ok_and(|node| !node.is_dir())
}

/// Runs a command: its status.
pub(crate) fn run<'a>(process: &'a mut Process, io: &'a Io, argv: &'a [String]) -> BoxFuture<'a, Run<i32>> {
    async move {
        let above = process.deeper(io).await?;
        let ended = call(process, io, argv).await;
        process.depth = above;
        ended
    }
    .boxed()
}

async fn call(process: &mut Process, io: &Io, argv: &[String]) -> Run<i32> {
    let args = &argv[1..];
    let name = argv[0].as_str();
    let base = name.rsplit('/').next().unwrap_or(name);
    let known = BUILTINS.contains(&name) || is_program(process, name);
    match if known { base } else { "" } {
        "sh" | "ash" | "bash" => builtin::sh(process, io, args).await,
        "break" | "continue" | "exit" => builtin::leave(process, name, args),
        "cd" => builtin::cd(process, io, args).await,
        "command" => builtin::command(process, io, args).await,
        "exec" => builtin::exec(process, io, args).await,
        "export" | "unset" | "set" | "shift" => builtin::variables(process, io, name, args).await,
        "help" => builtin::help(process, io).await,
        "kill" => builtin::kill(process, io, args).await,
        "read" => builtin::read(process, io, args).await,
        "env" | "printenv" => system::env(process, io, name, args).await,
        "" => {
            process.complain(io, &format!("sh: {name}: not found")).await?;
            Ok(127)
        }
        _ => program(process, io, base, args).await,
    }
}

/// A program that runs no other. Apart, because what it takes of the stack is then taken once and not at each level.
fn program<'a>(process: &'a mut Process, io: &'a Io, name: &'a str, args: &'a [String]) -> BoxFuture<'a, Run<i32>> {
    async move {
        match name {
            "false" => Ok(1),
            "test" | "[" => test::test(process, io, name, args).await,
            "echo" => text::echo(process, io, args).await,
            "printf" => text::printf(process, io, args).await,
            "cat" => text::cat(process, io, args).await,
            "head" | "tail" => text::part(process, io, name, args).await,
            "wc" => text::wc(process, io, args).await,
            "grep" => text::grep(process, io, args).await,
            "sort" => text::sort(process, io, args).await,
            "tr" => text::tr(process, io, args).await,
            "tee" => text::tee(process, io, args).await,
            "seq" => text::seq(process, io, args).await,
            "ls" | "stat" => look::ls(process, io, name, args).await,
            "find" => look::find(process, io, args).await,
            "basename" | "dirname" => look::path(process, io, name, args).await,
            "touch" | "mkdir" | "rmdir" | "rm" | "chmod" => files::change(process, io, name, args).await,
            "cp" | "mv" => files::copy(process, io, name, args).await,
            "tar" => archive::tar(process, io, args).await,
            "date" => system::date(process, io, args).await,
            "sleep" => system::sleep(process, io, args).await,
            "hostname" | "whoami" | "id" | "pwd" | "nproc" | "uname" | "uptime" | "ps" | "which" => system::tell(process, io, name, args).await,
            // `:`, `true` and `trap`.
            _ => Ok(0),
        }
    }
    .boxed()
}

/// Options and operands: letters after `-`, until `--` or the first other word.
fn options(args: &[String]) -> (String, &[String]) {
    let mut letters = String::new();
    for (index, arg) in args.iter().enumerate() {
        match arg.strip_prefix('-') {
            Some("-") => return (letters, &args[index + 1..]),
            Some(flags) if !flags.is_empty() => letters += flags,
            _ => return (letters, &args[index..]),
        }
    }
    (letters, &[])
}

/// Says that an option is not known; the status is 1.
async fn unknown(process: &Process, io: &Io, name: &str, letters: &str, known: &str) -> Run<bool> {
    let Some(letter) = letters.chars().find(|c| !known.contains(*c)) else { return Ok(false) };
    process.complain(io, &format!("{name}: unrecognized option: {letter}")).await?;
    Ok(true)
}
