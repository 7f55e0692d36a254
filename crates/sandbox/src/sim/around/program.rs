//! What can be told from a container's command line without running it: when it ends, and how.
//!
//! Known are `true`, `false`, `echo`, `sleep N`, `exit N`, and a shell's `-c` with these in a row. Of all else nothing is
//! said: such a container runs for ever, or as long as its kind of workload lets it.

use serde_json::{Value, json};

use crate::value::{list, plain};

/// `seconds` until it ends and its `exitCode`.
pub(in crate::sim) fn of(container: &Value) -> Option<Value> {
    let words: Vec<String> = ["spec.command", "spec.args"].iter().flat_map(|path| list(container, path)).map(plain).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (seconds, code) = match words.as_slice() {
        [shell, "-c", script] if matches!(*shell, "sh" | "bash" | "/bin/sh" | "/bin/bash") => run_script(script)?,
        [] => return None,
        simple => run(simple)?,
    };
    Some(json!({"seconds": seconds, "exitCode": code, "reason": if code == 0 { "Completed" } else { "Error" }}))
}

fn run_script(script: &str) -> Option<(u64, i64)> {
    let (mut seconds, mut code) = (0, 0);
    for statement in script.split(';').map(str::trim).filter(|s| !s.is_empty()) {
        let words: Vec<&str> = statement.split_whitespace().collect();
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
    if words.iter().any(|w| matches!(*w, "&&" | "||" | "|" | "&")) {
        return None;
    }
    match words {
        ["true", ..] | ["echo", ..] | [":"] => Some((0, 0)),
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
}
