//! Scripts and what they print, and what nobody may make this module do.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::clock::Clock;
use super::io::{Input, Io, input, pipe};
use super::places::{Mount, Places};
use super::process::Container;
use super::start::{NotStarted, start};
use super::tree::{Fault, Quota, Tree};

pub(crate) fn container() -> Arc<Container> {
    let tree = Arc::new(Mutex::new(Tree::new(Quota::default())));
    let bare = Places::new(tree.clone(), "/c".to_owned(), vec![]);
    bare.make_root(0);
    for dir in ["/bin", "/etc", "/tmp", "/conf", "/root"] {
        bare.mkdirs(dir, 0).expect("made");
    }
    for program in super::PROGRAMS {
        bare.write(&format!("/bin/{program}"), vec![], Some(0o755), 0).expect("written");
    }
    bare.write("/etc/motd", b"one\ntwo\nthree\n".to_vec(), None, 0).expect("written");
    let volumes = Places::new(tree.clone(), String::new(), vec![]);
    volumes.mkdirs("/v", 0).expect("made");
    volumes.write("/v/key", b"value".to_vec(), None, 0).expect("written");
    let mounts = vec![Mount { path: "/conf".to_owned(), key: "/v".to_owned(), read_only: true }];
    let places = Places::new(tree, "/c".to_owned(), mounts);
    let env = vec![("PATH".to_owned(), "/bin".to_owned()), ("HOME".to_owned(), "/root".to_owned())];
    Arc::new(Container {
        places,
        hostname: "pod".to_owned(),
        workdir: String::new(),
        env,
        main: "main".to_owned(),
        address: "127.96.0.1".to_owned(),
        uid: 0,
        gid: 0,
    })
}

async fn run_in(container: &Arc<Container>, clock: Clock, argv: &[&str], stdin: Input) -> (String, Result<i32, NotStarted>) {
    let argv: Vec<String> = argv.iter().map(|a| (*a).to_owned()).collect();
    let (output, read) = pipe();
    let io = Io { stdin, stdout: output.clone(), stderr: output };
    let process = start(container.clone(), Arc::new(clock), None, &argv, io);
    let reading = async {
        let mut text = Vec::new();
        while let Some(chunk) = read.chunk().await {
            text.extend_from_slice(&chunk);
        }
        text
    };
    let both = async { futures::join!(process, reading) };
    let (ended, text) = tokio::time::timeout(Duration::from_secs(20), both).await.expect("an end");
    (String::from_utf8_lossy(&text).into_owned(), ended)
}

async fn sh(script: &str) -> (String, i32) {
    let (text, ended) = run_in(&container(), Clock::live(), &["sh", "-c", script], Input::empty()).await;
    (text, ended.expect("sh is there"))
}

#[tokio::test]
async fn scripts_do_what_a_posix_shell_does_with_them() {
    for (script, prints, status) in [
        ("echo a  b; echo 'a  b'", "a b\na  b\n", 0),
        ("true && echo yes || echo no; false && echo yes || echo no", "yes\nno\n", 0),
        ("x=1; y=\"$x 2\"; echo $y \"${z:-3 4}\" ${z:+5}", "1 2 3 4\n", 0),
        ("echo $((2+3*4)) $(((1+2)*3)) $((7%4)); i=5; i=$((i+1)); echo $i", "14 9 3\n6\n", 0),
        ("for i in 1 2 3; do [ $i -eq 2 ] && continue; echo $i; done", "1\n3\n", 0),
        ("i=0; while [ $i -lt 3 ]; do i=$((i+1)); done; echo $i; until true; do :; done", "3\n", 0),
        ("if [ -f /etc/motd ]; then cat /etc/motd | head -n 1; elif true; then echo b; else echo c; fi", "one\n", 0),
        ("cat /etc/motd | wc -l; grep -c t /etc/motd; tail -1 /etc/motd", "3\n2\nthree\n", 0),
        ("echo out; echo err >&2; echo gone > /dev/null 2>&1", "out\nerr\n", 0),
        ("(cd /etc; pwd; exit 3); echo $? $(pwd)", "/etc\n3 /\n", 0),
        ("mkdir -p /tmp/a/b; echo x > /tmp/a/b/f; echo y >> /tmp/a/b/f; cat /tmp/a/b/f; ls /tmp/a/*; rm -r /tmp/a; ls /tmp", "x\ny\nf\n", 0),
        ("set -- a b; echo $# $1 \"$@\"; echo `echo nested $(echo deep)`", "2 a a b\nnested deep\n", 0),
        ("set -e; false; echo never", "", 1),
        ("exit 300", "", 44),
        ("nope; echo $?", "sh: nope: not found\n127\n", 0),
        ("if true", "sh: syntax error: unexpected end of file\n", 2),
        ("echo x > /conf/key", "sh: can't create /conf/key: Read-only file system\n", 1),
        ("cat /conf/key /nope", "cat: can't open '/nope': No such file or directory\nvalue", 1),
        ("A=b env | grep A=; export C=d; printenv C; command -v ls", "A=b\nd\n/bin/ls\n", 0),
        ("printf '%s-%03d\\n' x 7; echo a b c | tr ' ' '\\n' | sort -r", "x-007\nc\nb\na\n", 0),
        ("cd /nope", "sh: cd: line 0: can't cd to /nope: No such file or directory\n", 2),
        ("echo 1; break; continue; echo 2; (break); exit 3", "1\n2\n", 3),
        ("for i in 1 2; do (break; echo in); sh -c 'break; echo own'; break; done; break; echo out", "own\nout\n", 0),
        ("rm -f; echo x > /tmp/f; chmod zz /tmp/f; echo $?; chmod u+x,go-w /tmp/f && chmod 644 /tmp/f", "chmod: invalid mode 'zz'\n1\n", 0),
        ("echo '# kept' # dropped", "# kept\n", 0),
    ] {
        assert_eq!(sh(script).await, (prints.to_owned(), status), "{script}");
    }
}

#[tokio::test]
async fn a_program_that_is_missing_is_said_as_by_the_runtime() {
    let (_, ended) = run_in(&container(), Clock::live(), &["nope"], Input::empty()).await;
    assert!(ended.expect_err("none").to_string().ends_with("exec: \"nope\": executable file not found in $PATH"));
    let (_, ended) = run_in(&container(), Clock::live(), &[], Input::empty()).await;
    assert!(ended.is_err());
}

#[tokio::test]
async fn a_played_clock_runs_ahead_to_its_end_and_always_the_same() {
    let from: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
    let until = from + SignedDuration::from_secs(3_600);
    let script = "i=0; while true; do echo $i $(date +%T); i=$((i+1)); sleep 600; done";
    let play = || async { run_in(&container(), Clock::played(from, Some(until)), &["sh", "-c", script], Input::empty()).await.0 };
    let text = play().await;
    assert_eq!(text.lines().count(), 6);
    assert!(text.starts_with("0 00:00:00\n1 00:10:00\n"), "{text}");
    assert_eq!(play().await, text);
}

#[tokio::test]
async fn work_without_end_ends() {
    let from = Timestamp::now() - SignedDuration::from_hours(24 * 365);
    let (_, ended) = run_in(&container(), Clock::played(from, None), &["sh", "-c", "while :; do :; done"], Input::empty()).await;
    assert_eq!(ended, Ok(0));
    let deep = "$(".repeat(5_000);
    for script in [deep.clone(), format!("echo {}", "$((".repeat(5_000)), "(".repeat(5_000), "if ".repeat(5_000), "x".repeat(100_000)] {
        assert_ne!(sh(&script).await.1, 0);
    }
    let (text, status) = sh("a=aaaaaaaa; while true; do a=$a$a; done").await;
    assert_eq!((text.as_str(), status), ("sh: argument list too long\n", 126));
}

/// All commands of a pipeline run at once, and so do those of the pipelines within it: what each has, nobody may multiply.
#[tokio::test]
async fn memory_has_an_end() {
    let doubled = |times| format!("x=0123456789abcdef; {}", "x=$x$x; ".repeat(times));
    let many: String = (0..900).map(|n| format!("v{n}=$x; ")).collect();
    let full = (String::from("sh: out of memory\n"), 2);
    assert_eq!(sh(&format!("{}{many}", doubled(12))).await, full);
    assert_eq!(
        sh(&format!("{}for i in 1 2 3 4 5 6 7 8 9; do echo $x | {{ y=$x; z=$x; read a; }}; done; echo freed", doubled(12))).await.0,
        "freed\n"
    );
    assert_eq!(sh("x=1; for i in $(seq 1 2000); do x=$x; export a$i=$i; done").await.0, "sh: out of memory\n");
    let (text, status) = sh(&format!("{many}{}:", ": | ".repeat(500))).await;
    assert_eq!((text.as_str(), status), ("sh: too many commands in a pipeline\n", 2));
    // A pipeline of pipelines, each of whose commands would have a value of its own.
    let inner = "{ y=$x$x; read a; }";
    let inner = format!("{inner}{}", format!(" | {inner}").repeat(40));
    let (text, _) = sh(&format!("{}( {inner} ){}", doubled(10), format!(" | ( {inner} )").repeat(20))).await;
    assert!(text.contains("sh: can't fork: Resource temporarily unavailable") || text.contains("sh: out of memory"), "{text}");
    assert_eq!(sh(&format!("{}echo $x $x $x $x $x", doubled(12))).await, ("sh: argument list too long\n".to_owned(), 126));
}

/// A thread's stack has an end, and whoever meets it takes the whole process along.
#[tokio::test]
async fn what_runs_itself_ends() {
    let chain = format!("{}true", "env ".repeat(4_000));
    let nested = format!("{}true{}", "(".repeat(38), ")".repeat(38));
    let deepest = format!("echo '{nested}; sh /tmp/a' > /tmp/a; sh /tmp/a");
    for script in [chain.as_str(), "echo 'sh /tmp/a' > /tmp/a; sh /tmp/a", "echo 'echo $(sh /tmp/a)' > /tmp/a; set -e; x=$(sh /tmp/a)", &deepest] {
        let (text, _) = sh(script).await;
        assert!(text.contains("sh: nested too deeply"), "{script}: {text}");
    }
    assert_eq!(sh(&nested).await, (String::new(), 0), "what the grammar takes still runs");
}

#[tokio::test]
async fn a_full_tree_is_a_full_disk_and_its_room_comes_back() {
    let quota = Quota::default();
    let mut tree = Tree::new(quota.clone());
    tree.write("/a", vec![0; 10 << 20], None, 0).expect("fits");
    assert_eq!(tree.write("/b", vec![0; 10 << 20], None, 0), Err(Fault::Full));
    assert_eq!(tree.append("/a", &vec![0; 10 << 20], 0), Err(Fault::Full));
    tree.remove("/a").expect("removed");
    tree.write("/b", vec![0; 10 << 20], None, 0).expect("fits again");
    let others: Vec<Tree> = (0..5)
        .map(|_| {
            let mut tree = Tree::new(quota.clone());
            tree.write("/b", vec![0; 10 << 20], None, 0).expect("fits");
            tree
        })
        .collect();
    assert_eq!(Tree::new(quota.clone()).write("/b", vec![0; 10 << 20], None, 0), Err(Fault::Full), "all trees together have a limit");
    drop(others);
    drop(tree);
    assert!(!quota.is_short());
}

#[tokio::test]
async fn endless_input_fills_the_disk_and_nothing_else() {
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let feeding = async move { while sender.send(bytes::Bytes::from(vec![b'x'; 64 << 10])).await.is_ok() {} };
    let container = container();
    let writing = run_in(&container, Clock::live(), &["sh", "-c", "cat > /tmp/big"], input(receiver));
    let ((_, ended), ()) = futures::join!(writing, feeding);
    assert_eq!(ended, Ok(1));
    assert!(container.places.stat("/tmp/big").expect("there").size() <= 16 << 20);
}

fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o640);
        // The library refuses names that lead out; a hostile client doesn't.
        header.as_gnu_mut().expect("gnu").name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, *content).expect("appended");
    }
    builder.into_inner().expect("an archive")
}

async fn extract(container: &Arc<Container>, bytes: Vec<u8>) -> (String, Result<i32, NotStarted>) {
    let argv = ["tar", "-xmf", "-", "--no-same-permissions", "--no-same-owner", "-C", "/tmp"];
    run_in(container, Clock::live(), &argv, Input::fixed(bytes.into())).await
}

#[tokio::test]
async fn an_archive_stays_below_its_target() {
    let container = container();
    let (text, ended) = extract(&container, archive(&[("d/ok", b"1"), ("../out", b"2"), ("/abs", b"3"), ("d/../../out", b"4")])).await;
    assert_eq!(ended, Ok(1), "{text}");
    assert_eq!(text.matches("name with '..' skipped").count(), 2);
    assert_eq!(container.places.walk("/tmp").len(), 4, "/tmp, d, d/ok, abs");
    assert!(container.places.stat("/out").is_err() && container.places.stat("/abs").is_err());
}

#[tokio::test]
async fn a_hostile_archive_is_refused() {
    let container = container();
    let mut huge = archive(&[("f", b"x")]);
    huge[124..136].copy_from_slice(b"77777777777\0");
    let sum: u32 = huge[..512].iter().enumerate().map(|(i, b)| if (148..156).contains(&i) { 32 } else { u32::from(*b) }).sum();
    huge[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let (text, ended) = extract(&container, huge).await;
    assert!(ended == Ok(1) && text.contains("No space left on device"), "{text}");
    assert_eq!(extract(&container, vec![0xff; 4_096]).await.1, Ok(1));
    assert_eq!(extract(&container, archive(&[("f", b"x")])[..700].to_vec()).await.1, Ok(1), "cut short");
}

#[tokio::test]
async fn what_tar_packs_it_unpacks() {
    let container = container();
    let long = format!("{}/{}", "d".repeat(90), "f".repeat(90));
    let script = format!(
        "mkdir -p /tmp/x/{}; echo one > /tmp/x/{long}; chmod 755 /tmp/x/{long}; cd /tmp; tar cf - x > a.tar; mkdir y; tar xf a.tar -C y; ls -l y/x/{}; cat y/x/{long}",
        "d".repeat(90),
        "d".repeat(90)
    );
    let (text, ended) = run_in(&container, Clock::live(), &["sh", "-c", &script], Input::empty()).await;
    assert_eq!(ended, Ok(0), "{text}");
    assert!(text.contains("-rwxr-xr-x") && text.ends_with("one\n"), "{text}");
}
