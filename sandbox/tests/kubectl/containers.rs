//! What happens inside containers, and what comes out of them: on the sandbox, and on a node that really runs them.

use std::collections::BTreeSet;
use std::fs;

use super::tour::{Tour, has};

/// A Pod `p` that runs, with containers `a` and `b` that print their names.
fn with_pod(theme: &str) -> Option<Tour> {
    let tour = Tour::containers(theme)?;
    let container = |name: &str| format!("{{name: {name}, image: busybox, command: [sh, -c, 'echo from {name}; sleep 3600']}}");
    let spec = format!("terminationGracePeriodSeconds: 0, containers: [{}, {}]", container("a"), container("b"));
    tour.ok_with("create -f -", &format!("{{apiVersion: v1, kind: Pod, metadata: {{name: p, labels: {{app: p}}}}, spec: {{{spec}}}}}"));
    tour.ok("wait pod/p --for=condition=Ready --timeout=180s");
    Some(tour)
}

#[test]
fn commands_run_with_their_streams_and_exit_codes() {
    let Some(tour) = with_pod("exec") else { return };
    let said = tour.run("exec p -- echo 'two  words'", "", &[]);
    assert_eq!((said.code, said.stdout.as_str()), (0, "two  words\n"));
    assert_eq!(said.stderr, "Defaulted container \"a\" out of: a, b");
    let said = tour.run("exec p -c b -- sh -c 'echo out; echo err >&2; exit 7'", "", &[]);
    assert_eq!((said.code, said.stdout.as_str()), (7, "out\n"));
    assert_eq!(said.stderr, "err\ncommand terminated with exit code 7");
    assert_eq!(tour.feed("exec -i p -c a -- cat", b"one\ntwo\n").stdout, "one\ntwo\n");
    assert_eq!(tour.feed("exec -i p -c a -- wc -c", &[7; 1_000_000]).stdout.trim(), "1000000");
    let said = tour.feed("exec -it p -c a -- sh", b"echo $((6*7))\nexit 3\n");
    assert_eq!((said.code, said.stdout.as_str()), (3, "42\n"));
    has(&said.stderr, &["Unable to use a TTY - input is not a terminal"]);
    assert_eq!(tour.ok("exec pod/p -c a -- hostname"), "p\n");
    assert_eq!(tour.ok("exec p -c a -- sh -c 'seq 1 200000 | tail -n 1'"), "200000\n");
    let said = tour.run("exec p -c a -- no-such-program", "", &[]);
    assert_ne!(said.code, 0);
    has(&said.stderr, &["exec: \"no-such-program\": executable file not found in $PATH"]);
    has(&tour.fails("exec p -c c -- true"), &["container c is not valid for pod p"]);
    has(&tour.fails("exec none -- true"), &["Error from server (NotFound): pods \"none\" not found"]);
    has(&tour.fails("exec p -c a"), &["you must specify at least one command for the container"]);
}

#[test]
fn files_are_copied_in_and_out() {
    let Some(tour) = with_pod("cp") else { return };
    let big: Vec<u8> = (0..3_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    tour.file("up/a", "x");
    tour.file("up/sub/empty", "");
    fs::write(tour.dir().join("up/sub/big"), &big).expect("written");
    let own = tour.namespace().to_owned();
    tour.ok("cp up p:/tmp/up -c a");
    assert_eq!(tour.ok("exec p -c a -- cat /tmp/up/a"), "x");
    assert_eq!(tour.ok("exec p -c a -- sh -c 'wc -c < /tmp/up/sub/big'").trim(), "3000000");
    tour.ok(&format!("cp {own}/p:/tmp/up down -c a"));
    for name in ["a", "sub/empty", "sub/big"] {
        let [here, there] = ["up", "down"].map(|dir| fs::read(tour.dir().join(dir).join(name)).expect("read"));
        assert!(here == there, "{name}");
    }
    tour.ok("cp up/a p:/tmp/one -c b");
    tour.ok("cp p:/tmp/one back -c b");
    assert_eq!(fs::read_to_string(tour.dir().join("back")).expect("read"), "x");
    has(&tour.run("exec p -c a -- cat /tmp/one", "", &[]).stderr, &["No such file or directory"]);
    // kubectl may end before it has shown what tar says.
    tour.run("cp p:/no/such/file nothing -c a", "", &[]);
    assert!(!tour.dir().join("nothing").exists());
    assert_ne!(tour.run("cp up/a p:/no/such/dir/ -c a", "", &[]).code, 0);
    has(&tour.fails("cp none-here p:/tmp/x -c a"), &["none-here"]);
    has(&tour.fails("cp up/a none:/tmp/x"), &["pods \"none\" not found"]);
}

#[test]
fn logs_are_read_in_every_way() {
    let Some(tour) = with_pod("logs") else { return };
    // On a real node a log may come a moment after Ready.
    tour.until("logs p -c a", |log| log == "from a\n");
    tour.until("logs p -c b", |log| log == "from b\n");
    has(&tour.run("logs p", "", &[]).stderr, &["Defaulted container \"a\" out of: a, b"]);
    // kubectl reads several containers in any order.
    let sorted = |line: &str| tour.ok(line).lines().map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
    assert_eq!(sorted("logs p --all-containers"), ["from a", "from b"]);
    assert_eq!(sorted("logs p --all-containers --prefix"), ["[pod/p/a] from a", "[pod/p/b] from b"]);
    assert_eq!(tour.ok("logs -l app=p -c a --prefix"), "[pod/p/a] from a\n");
    assert_eq!(tour.ok("logs p -c a --since=1h --limit-bytes=4"), "from");
    let stamped = tour.ok("logs p -c a --timestamps");
    let (time, line) = stamped.split_once(' ').expect("a time");
    assert!(time.contains('T') && time.ends_with('Z') && line == "from a\n", "{stamped}");
    has(&tour.fails("logs p -c a -p"), &["previous terminated container \"a\" in pod \"p\" not found"]);
    has(&tour.fails("logs p -c c"), &["container c is not valid for pod p"]);

    tour.ok("run counts --image=busybox --restart=Never -- sh -c 'echo 0; echo 1; sleep 1; echo 2; echo 3; sleep 1; echo 4; exit 1'");
    tour.until("get pod counts -o jsonpath={.status.phase}", |phase| phase != "Pending");
    assert_eq!(tour.ok("logs counts -f"), "0\n1\n2\n3\n4\n", "it ends with its Pod");
    assert_eq!(tour.ok("logs counts --tail=2"), "3\n4\n");
    assert_eq!(tour.ok("logs counts --tail=0"), "");
    tour.ok("create job j --image=busybox -- echo done");
    tour.ok("wait job/j --for=condition=Complete --timeout=180s");
    assert_eq!(tour.ok("logs job/j"), "done\n");
    tour.ok("create deployment d --image=busybox -- sh -c 'echo deployed; sleep 3600'");
    tour.ok("rollout status deploy/d --timeout=180s");
    tour.until("logs deploy/d", |log| log == "deployed\n");
}

#[test]
fn a_crash_is_told_and_leaves_its_log() {
    let Some(tour) = Tour::containers("crash") else { return };
    tour.ok("run c --image=busybox -- sh -c 'echo before; exit 3'");
    tour.until("get pod c -o jsonpath={.status.containerStatuses[0].state.waiting.reason}", |reason| reason == "CrashLoopBackOff");
    // A real node may be taking the older containers away.
    tour.until("logs c -p", |log| log == "before\n");
    let told = tour.until("describe pod c", |text| text.contains("Back-off restarting failed container c in pod c_"));
    has(&told, &["Exit Code:    3", "Reason:       Error"]);
    tour.ok("run once --image=busybox --restart=Never -- sh -c 'exit 4'");
    assert_eq!(tour.ok("wait pod/once --for=jsonpath={.status.phase}=Failed --timeout=180s"), "pod/once condition met\n");
    assert_eq!(tour.ok("get pod once -o jsonpath={.status.containerStatuses[0].state.terminated.exitCode}"), "4");
}

#[test]
fn a_client_takes_part_in_what_it_runs() {
    let Some(tour) = Tour::containers("attach") else { return };
    let said = tour.feed("run -i --rm x --image=busybox --restart=Never --quiet -- sh", b"echo $((6*7))\nexit 3\n");
    assert_eq!((said.code, said.stdout.lines().next()), (3, Some("42")), "{said:?}");
    has(&said.stderr, &["terminated (Error)"]);
    let said = tour.feed("run -i --rm shell --image=busybox --restart=Never --quiet", b"echo from the image\n");
    assert_eq!((said.code, said.stdout.lines().next()), (0, Some("from the image")), "{said:?}");
    let said = tour.feed("run --attach --rm y --image=busybox --restart=Never --quiet -- sh -c 'sleep 2; echo later; exit 4'", b"");
    assert_eq!((said.code, said.stdout.lines().next()), (4, Some("later")), "{said:?}");
    assert_eq!(tour.ok("get pods -o name"), "");

    tour.ok("run reads --image=busybox -i --restart=Never --attach=false -- cat");
    tour.ok("wait pod/reads --for=condition=Ready --timeout=180s");
    assert_eq!(tour.feed("attach -i --quiet reads", b"a word\n").stdout, "a word\n");
    tour.ok("wait pod/reads --for=jsonpath={.status.phase}=Succeeded --timeout=180s");
    has(&tour.fails("attach reads"), &["error: cannot attach a container in a completed pod; current phase is Succeeded"]);
    has(&tour.fails("attach none"), &["Error from server (NotFound): pods \"none\" not found"]);

    tour.ok("run counts --image=busybox --restart=Never -- sh -c 'echo 0; sleep 4; echo 4; sleep 1; echo 5'");
    tour.ok("wait pod/counts --for=condition=Ready --timeout=180s");
    assert!(tour.ok("attach --quiet counts").ends_with("4\n5\n"), "it ends with its Pod");
}

#[test]
fn a_pod_is_debugged() {
    let Some(tour) = with_pod("debug") else { return };
    tour.ok("debug p --image=busybox --target=a --container=looks -- sh -c 'echo looked; sleep 3600'");
    let state = "get pod p -o 'jsonpath={.status.ephemeralContainerStatuses[?(@.name==\"looks\")].state}'";
    tour.until(state, |state| state.contains("running"));
    tour.until("logs p -c looks", |log| log == "looked\n");
    assert_eq!(tour.ok("exec p -c looks -- echo in"), "in\n");
    has(&tour.ok("describe pod p"), &["Ephemeral Containers:\n  looks:", "Image:         busybox"]);
    tour.ok("debug p --image=busybox --container=ends -- sh -c 'exit 2'");
    tour.until(&state.replace("looks", "ends"), |state| state.contains("\"exitCode\":2"));
    // Older ones patch no other subresources than status and scale.
    if tour.kubectl_has(36) {
        let debug = |more: &str| format!("patch pod p --subresource=ephemeralcontainers -p {{\"spec\":{{\"ephemeralContainers\":[{more}]}}}}");
        has(&tour.fails(&debug("{\"name\":\"a\",\"image\":\"x\"}")), &["spec.ephemeralContainers[0].name: Duplicate value: \"a\""]);
        has(&tour.fails(&debug("{\"name\":\"new\"}")), &["spec.ephemeralContainers[0].image: Required value"]);
        let remove = r#"patch pod p --subresource=ephemeralcontainers --type=json -p [{"op":"remove","path":"/spec/ephemeralContainers"}]"#;
        has(&tour.fails(remove), &["existing ephemeral containers \"looks\" may not be removed"]);
    }
    assert_eq!(tour.ok("get pod p -o jsonpath={.status.phase}{.metadata.generation}"), "Running3");
    tour.ok("debug p --image=busybox --copy-to=copy --container=more -- sleep 3600");
    assert_eq!(tour.ok("get pod copy -o jsonpath={.spec.containers[*].name}"), "a b more");
    has(&tour.fails("debug none --image=busybox"), &["pods \"none\" not found"]);
}
