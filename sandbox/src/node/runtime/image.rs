//! What a container's first process is: its own command where the shell knows it, or else a script that prints what such
//! an image prints at its start, and then a line now and then.

use serde_json::Value;

use super::env::substituted;
use crate::machinery::notation::value::{list, plain, text};

/// Images without an entrypoint of their own: their arguments are the command.
const BARE: &[&str] = &["alpine", "busybox", "debian", "fedora", "ubuntu"];

/// What images print first, in lines that start with their own time where theirs do.
const GREETINGS: &[(&str, &str)] = &[
    (
        "nginx",
        "echo '/docker-entrypoint.sh: Configuration complete; ready for start up'; echo \"$(date '+%Y/%m/%d %H:%M:%S') [notice] 1#1: start worker processes\"",
    ),
    ("redis", "echo \"1:M $(date '+%d %b %Y %H:%M:%S.000') * Ready to accept connections tcp\""),
    ("postgres", "echo \"$(date '+%Y-%m-%d %H:%M:%S.000') UTC [1] LOG:  database system is ready to accept connections\""),
];

const HEARTBEAT: &str = "echo \"started (simulated by the sandbox)\"; sleep 10; n=10; while :; do echo \"still running after $n s (simulated)\"; sleep 60; n=$((n+60)); done";

/// `registry/path/NAME:tag` has this name.
pub(crate) fn base(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    let last = image.rsplit('/').next().unwrap_or(image);
    last.split(':').next().unwrap_or(last)
}

/// Whether an image lacks bash, as small ones do.
pub(super) fn is_small(image: &str) -> bool {
    matches!(base(image), "alpine" | "busybox") || image.contains("-alpine") || image.contains(":alpine")
}

/// The program and its arguments, where the shell knows it.
pub(crate) fn own_process(spec: &Value, env: &[(String, String)]) -> Option<Vec<String>> {
    let own: Vec<String> = own_words(spec).iter().map(|word| substituted(word, env)).collect();
    own.first().is_some_and(|program| shell::exists(program)).then_some(own)
}

/// Whether there is such a program, or only the container's environment can tell.
pub(crate) fn may_know(spec: &Value) -> bool {
    own_words(spec).first().is_some_and(|program| shell::exists(program) || program.contains("$("))
}

/// The command line as its spec has it; nothing where it is the image's to say.
fn own_words(spec: &Value) -> Vec<String> {
    let words = |path: &str| list(spec, path).iter().map(plain).collect::<Vec<_>>();
    match words("command") {
        _ if is_shell(spec) && spec["stdin"] == true => vec!["sh".to_owned()],
        command if !command.is_empty() || BARE.contains(&base(text(spec, "image"))) => [command, words("args")].concat(),
        _ => vec![],
    }
}

fn is_shell(spec: &Value) -> bool {
    list(spec, "command").is_empty() && list(spec, "args").is_empty() && BARE.contains(&base(text(spec, "image")))
}

/// Whether it is a shell without anything to read.
pub(crate) fn is_idle_shell(spec: &Value) -> bool {
    is_shell(spec) && spec["stdin"] != true
}

/// The program and its arguments, or what stands in for it.
pub(crate) fn main_process(spec: &Value, env: &[(String, String)]) -> Vec<String> {
    if let Some(own) = own_process(spec, env) {
        return own;
    }
    let name = base(text(spec, "image"));
    let greeting = GREETINGS.iter().find(|(image, _)| *image == name).map(|(_, script)| format!("{script}; ")).unwrap_or_default();
    ["sh".to_owned(), "-c".to_owned(), greeting + HEARTBEAT].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_command_that_the_shell_knows_is_the_main_process() {
        let spec = json!({"image": "docker.io/library/busybox:1.36", "args": ["sh", "-c", "echo $(WHO)"]});
        assert_eq!(main_process(&spec, &[("WHO".to_owned(), "me".to_owned())]), ["sh", "-c", "echo me"]);
        let spec = json!({"image": "shop:1", "args": ["sh", "-c", "echo an entrypoint of the image gets this"]});
        assert!(main_process(&spec, &[])[2].contains("simulated"));
        let spec = json!({"image": "shop:1", "command": ["/server"]});
        assert!(main_process(&spec, &[])[2].contains("simulated"));
    }
}
