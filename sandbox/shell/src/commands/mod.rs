//! The commands that run no other. Each prints what busybox's would, as far as it goes; an option it doesn't know is said
//! to be unknown. They read no other part of the shell than a process: its files, streams and clock.

mod archive;
mod builtin;
mod cat;
mod files;
mod filter;
mod input;
pub(crate) mod known;
mod look;
pub(crate) mod options;
mod print;
mod system;
mod test;

use futures::{FutureExt, future::BoxFuture};

use crate::io::Io;
use crate::process::Process;
use crate::stop::Run;

/// Runs a command that runs no other: its status. Apart, because what it takes of the stack is then taken once and not at each level.
pub(crate) fn run<'a>(process: &'a mut Process, io: &'a Io, name: &'a str, args: &'a [String]) -> BoxFuture<'a, Run<i32>> {
    async move {
        match name {
            "false" => Ok(1),
            "break" | "continue" | "exit" => builtin::leave(process, name, args),
            "cd" => builtin::cd(process, io, args).await,
            "export" | "unset" | "set" | "shift" => builtin::variables(process, io, name, args).await,
            "help" => builtin::help(process, io).await,
            "kill" => builtin::kill(process, io, args).await,
            "read" => builtin::read(process, io, args).await,
            "test" | "[" => test::test(process, io, name, args).await,
            "echo" => print::echo(process, io, args).await,
            "printf" => print::printf(process, io, args).await,
            "cat" => cat::cat(process, io, args).await,
            "head" | "tail" => cat::part(process, io, name, args).await,
            "wc" => filter::wc(process, io, args).await,
            "grep" => filter::grep(process, io, args).await,
            "sort" => filter::sort(process, io, args).await,
            "tr" => filter::tr(process, io, args).await,
            "tee" => filter::tee(process, io, args).await,
            "seq" => print::seq(process, io, args).await,
            "ls" | "stat" => look::ls(process, io, name, args).await,
            "find" => look::find(process, io, args).await,
            "basename" | "dirname" => look::path(process, io, name, args).await,
            "touch" | "mkdir" | "rmdir" | "rm" | "chmod" => files::change(process, io, name, args).await,
            "cp" | "mv" => files::copy(process, io, name, args).await,
            "tar" => archive::tar(process, io, args).await,
            "date" => system::date(process, io, args).await,
            "sleep" => system::sleep(process, io, args).await,
            "hostname" | "whoami" | "id" | "pwd" | "nproc" | "uname" | "uptime" | "ps" | "which" => system::tell(process, io, name, args).await,
            // Nothing is ever trapped, and an image's shell would do it.
            "trap" => {
                process.clock.lack();
                Ok(0)
            }
            // `:` and `true`.
            _ => Ok(0),
        }
    }
    .boxed()
}
