//! A command by its name.

use futures::{FutureExt, future::BoxFuture};

use super::nested;
use crate::commands;
use crate::commands::known::{BUILTINS, is_program};
use crate::io::Io;
use crate::process::Process;
use crate::stop::Run;

/// Runs a command: its status.
pub(super) fn run<'a>(process: &'a mut Process, io: &'a Io, argv: &'a [String]) -> BoxFuture<'a, Run<i32>> {
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
        "sh" | "ash" | "bash" => nested::sh(process, io, args).await,
        "command" => nested::command(process, io, args).await,
        "exec" => nested::exec(process, io, args).await,
        "env" | "printenv" => nested::env(process, io, name, args).await,
        "" => {
            process.complain(io, &format!("sh: {name}: not found")).await?;
            Ok(127)
        }
        _ => commands::run(process, io, base, args).await,
    }
}
