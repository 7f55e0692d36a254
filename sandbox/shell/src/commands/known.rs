//! The names of the commands.

use crate::places::absolute;
use crate::process::Process;

/// What is in `/bin`.
pub const PROGRAMS: &[&str] = &[
    "ash", "basename", "bash", "cat", "chmod", "cp", "date", "dirname", "echo", "env", "false", "find", "grep", "head", "hostname", "id", "ls",
    "mkdir", "mv", "nproc", "printenv", "printf", "ps", "pwd", "rm", "rmdir", "seq", "sh", "sleep", "sort", "stat", "tail", "tar", "tee", "test",
    "touch", "tr", "true", "uname", "uptime", "wc", "which", "whoami",
];

/// What the shell does itself.
pub(crate) const BUILTINS: &[&str] =
    &[":", "[", "break", "cd", "command", "continue", "exec", "exit", "export", "help", "kill", "read", "set", "shift", "trap", "unset"];

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
