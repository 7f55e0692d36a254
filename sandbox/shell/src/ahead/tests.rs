use std::time::Instant;

use super::*;
use crate::tests::container;

fn from() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("a time")
}

fn argv(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn sh(script: &str) -> Ahead {
    run(&container(), &argv(&["sh", "-c", script]), from(), Input::empty(), &Limits::default()).expect("sh is there")
}

/// Its code, its whole seconds, and what it printed.
fn ends(script: &str) -> (i32, u64, String) {
    let ahead = sh(script);
    let End::Exited { code, after } = ahead.end else { panic!("{script} runs on") };
    (code, after.as_secs(), String::from_utf8_lossy(&ahead.printed).into_owned())
}

#[test]
fn a_command_is_told_its_end_without_waiting_for_it() {
    let began = Instant::now();
    for (script, code, seconds, printed) in [
        ("true", 0, 0, ""),
        ("false", 1, 0, ""),
        ("echo hi; sleep 2; exit 3", 3, 2, "hi\n"),
        ("sleep 3600", 0, 3_600, ""),
        ("sleep 1m && sleep 1h || echo never", 0, 3_660, ""),
        ("echo out; echo err >&2; nope", 127, 0, "out\nerr\nsh: nope: not found\n"),
        ("set -e; false; sleep 9", 1, 0, ""),
        ("for i in $(seq 1 30); do date +%S; sleep 1; done | tail -n 1", 0, 30, "29\n"),
        ("seq 1 100000 | head -n 1", 0, 0, "1\n"),
        ("cat; read line || exit 4", 4, 0, ""),
        ("kill -9 $$", 137, 0, ""),
        ("if true", 2, 0, "sh: syntax error: unexpected end of file\n"),
    ] {
        assert_eq!(ends(script), (code, seconds, printed.to_owned()), "{script}");
    }
    assert!(began.elapsed() < Duration::from_secs(5));
    let ahead = run(&container(), &argv(&["sleep", "3600"]), from(), Input::empty(), &Limits::default()).expect("there");
    assert_eq!(ahead.end, End::Exited { code: 0, after: Duration::from_millis(3_600_001) });
}

#[test]
fn what_has_no_end_runs_on() {
    for script in [
        "sleep infinity",
        "tail -f /dev/null",
        "tail -f /etc/motd",
        "while true; do date; sleep 60; done",
        "while :; do :; done",
        "until [ -f /never ]; do sleep 1; done",
        "while true; do cat /etc/motd; done | while read line; do echo $line; done > /dev/null",
        "echo x > /tmp/x; while true; do cat /tmp/x /tmp/x > /tmp/y; mv /tmp/y /tmp/x; done",
        "echo x > /tmp/x; while true; do tar cf /tmp/y /tmp/x; mv /tmp/y /tmp/x; done",
        "a=aaaaaaaa; while [ ${#a} ]; do a=$a$a; done; while true; do :; done",
        "seq 1 9000000000000",
    ] {
        let began = Instant::now();
        let ahead = sh(script);
        assert!(ahead.end == End::RunsOn || script.starts_with("a="), "{script}: {ahead:?}");
        assert!(ahead.printed.len() <= 4_096);
        assert!(began.elapsed() < Duration::from_secs(3), "{script}: {:?}", began.elapsed());
    }
}

#[test]
fn input_that_nobody_types_is_waited_for() {
    let run = |words: &[&str]| run(&container(), &argv(words), from(), Input::silent(), &Limits::default()).expect("there").end;
    assert_eq!(run(&["cat"]), End::RunsOn);
    assert_eq!(run(&["sh"]), End::RunsOn);
    assert_eq!(run(&["tar", "xf", "-"]), End::RunsOn);
    assert_eq!(run(&["sh", "-c", "read line"]), End::RunsOn);
    assert!(matches!(run(&["sh", "-c", "exit 2"]), End::Exited { code: 2, .. }));
}

#[test]
fn what_it_wrote_is_in_its_files() {
    let container = container();
    let script = "mkdir /tmp/a /tmp/b; echo no table > /tmp/a/last; cd /tmp; tar cf - a | tar xf - -C /tmp/b; tar cf a.tar a; tar tf a.tar; exit 1";
    let ahead = run(&container, &argv(&["sh", "-c", script]), from(), Input::empty(), &Limits::default()).expect("there");
    assert!(matches!(ahead.end, End::Exited { code: 1, .. }), "{ahead:?}");
    assert_eq!(ahead.printed, "a/\na/last\n");
    assert_eq!(*container.places.read("/tmp/b/a/last").expect("there"), b"no table\n");
}

#[test]
fn what_an_image_may_have_and_the_shell_has_not_is_told() {
    for script in [
        "nope",
        "nope 2>/dev/null || exit 3",
        "which nope || exit 3",
        "command -v nope && exit 3",
        "cat /app/banner",
        "sh < /app/script",
        "[ -f /app/ready ] || exit 3",
        "ls -Z",
        "server &",
        "trap 'exit 3' EXIT; exit 1",
    ] {
        assert!(sh(script).lacked, "{script}");
    }
    for script in ["echo err >&2; exit 4", "false || exit 3", "[ -f /tmp/ready ] || exit 3", "which sh", "set -e; [ 1 = 2 ]"] {
        assert!(!sh(script).lacked, "{script}");
    }
}

#[test]
fn the_last_of_what_it_printed_is_kept() {
    let limits = Limits { printed: 10, ..Limits::default() };
    let ahead = run(&container(), &argv(&["sh", "-c", "seq 1 5000; echo end"]), from(), Input::empty(), &limits).expect("there");
    assert_eq!(ahead.printed, "\n5000\nend\n");
}

#[test]
fn a_program_that_is_missing_does_not_start() {
    let missing = |words: &[&str]| run(&container(), &argv(words), from(), Input::empty(), &Limits::default()).expect_err("none").to_string();
    assert_eq!(missing(&["nope", "-x"]), "unable to start container process: exec: \"nope\": executable file not found in $PATH");
    assert_eq!(missing(&["/nope"]), "unable to start container process: exec: \"/nope\": stat /nope: no such file or directory");
    assert!(missing(&[]).ends_with("not found in $PATH"));
}

/// A runtime gives each task so much to read and then lets others have their turn; that is no end of a process here.
#[tokio::test]
async fn a_runtime_around_it_changes_nothing() {
    assert_eq!(ends("seq 1 20000 | while read a; do if [ $a = 2000 ]; then echo $a; exit 5; fi; done"), (5, 6, "2000\n".to_owned()));
}
