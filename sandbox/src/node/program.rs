//! What can be told from a container's command line without running it: when it ends, and how.
//!
//! Known are `true`, `false`, `echo`, `printf`, `sleep N`, `exit N`, and a shell's `-c` with these in a row. Of all else
//! nothing is said: such a container runs for ever, or as long as its kind of workload lets it.

use serde_json::{Value, json};

use crate::machinery::notation::value::{list, plain, text};

/// `seconds` until it ends, its `exitCode`, `reason`, and the last `message` that it leaves, if it does.
pub(crate) fn of(container: &Value) -> Option<Value> {
    let words: Vec<String> = ["spec.command", "spec.args"].iter().flat_map(|path| list(container, path)).map(plain).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let path = text(container, "spec.terminationMessagePath");
    let mut said = Said::default();
    let (seconds, code) = match words.as_slice() {
        [shell, "-c", script] if matches!(*shell, "sh" | "bash" | "/bin/sh" | "/bin/bash") => {
            run_script(script, if path.is_empty() { "/dev/termination-log" } else { path }, &mut said)?
        }
        [] => return None,
        simple => run(simple)?,
    };
    let falls_back = code != 0 && text(container, "spec.terminationMessagePolicy") == "FallbackToLogsOnError";
    let message = if said.message.is_empty() && falls_back { said.log } else { said.message };
    let message = (!message.is_empty()).then_some(message);
    Some(json!({"seconds": seconds, "exitCode": code, "reason": if code == 0 { "Completed" } else { "Error" }, "message": message}))
}

/// What makes a command line more than one command.
const JOINS: [&str; 4] = ["&&", "||", "|", "&"];

/// What a script prints, and what it leaves as its last message.
#[derive(Default)]
struct Said {
    log: String,
    message: String,
}

fn run_script(script: &str, message_path: &str, said: &mut Said) -> Option<(u64, i64)> {
    let (mut seconds, mut code) = (0, 0);
    for statement in script.split(';').map(str::trim).filter(|s| !s.is_empty()) {
        let mut words: Vec<&str> = statement.split_whitespace().collect();
        if words[0] == "echo" && !words.iter().any(|w| JOINS.contains(w)) {
            let to = words.iter().position(|w| *w == ">").map(|at| (at, words.get(at + 1).copied()));
            let line = |words: &[&str]| words[1..].join(" ").replace(['\'', '"'], "") + "\n";
            match to {
                None => said.log += &line(&words),
                Some((at, Some(file))) if file == message_path => said.message = line(&words[..at]),
                Some(_) => {}
            }
            words.truncate(1);
        }
        let (took, ended) = run(&words)?;
        seconds += took;
        code = ended;
        if words[0] == "exit" {
            break;
        }
    }
    Some((seconds, code))
}

fn run(words: &[&str]) -> Option<(u64, i64)> {
    if words.iter().any(|w| JOINS.contains(w)) {
        return None;
    }
    match words {
        ["true", ..] | ["echo" | "printf", ..] | [":"] => Some((0, 0)),
        ["false", ..] => Some((0, 1)),
        ["exit"] => Some((0, 0)),
        ["exit", code] => Some((0, code.parse().ok()?)),
        ["sleep", time] => Some((time.trim_end_matches('s').parse().ok()?, 0)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(command: Value) -> Option<(u64, i64)> {
        let found = of(&json!({"spec": {"command": command}}))?;
        Some((found["seconds"].as_u64()?, found["exitCode"].as_i64()?))
    }

    #[test]
    fn simple_commands_are_understood_and_others_are_not() {
        assert_eq!(ends(json!(["true"])), Some((0, 0)));
        assert_eq!(ends(json!(["sh", "-c", "echo hello; sleep 2; exit 3"])), Some((2, 3)));
        assert_eq!(ends(json!(["sleep", "3600"])), Some((3600, 0)));
        assert_eq!(ends(json!(["/bin/server", "--port=80"])), None);
        assert_eq!(ends(json!(["sh", "-c", "while true; do date; done"])), None);
        assert_eq!(ends(json!([])), None);
    }

    #[test]
    fn the_last_message_is_in_its_file_or_else_the_log_of_a_failure() {
        let message = |script: &str, policy: &str| {
            let spec = json!({"command": ["sh", "-c", script], "terminationMessagePolicy": policy});
            of(&json!({"spec": spec})).expect("understood")["message"].clone()
        };
        assert_eq!(message("echo no table > /dev/termination-log; exit 1", "File"), "no table\n");
        assert_eq!(message("echo 'no table'; exit 1", "FallbackToLogsOnError"), "no table\n");
        assert_eq!(message("echo fine", "FallbackToLogsOnError"), Value::Null);
        assert_eq!(message("echo no table; exit 1", "File"), Value::Null);
    }
}
