//! `exec` and `attach`: a WebSocket between a client and a process of [`shell`].
//!
//! Attached to is a container's own process. One that reads its input, where the shell knows it, begins when somebody attaches, and its
//! end is the container's; of any other the output is shown.
//!
//! SPDY, which older clients speak, is refused with the 400 that leads newer ones on. What is wrong with the request is
//! said before the upgrade, as the real server and kubelet say it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderValue, Method, header};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::channels::{self, PROTOCOLS, STATUS, STDERR, STDOUT};
use super::host::{Ended, Host};
use super::logs::Follower;
use super::{container, runtime};
use crate::machinery::notation::value::{at, text};
use crate::machinery::status::{Answer, Refusal};
use crate::server::http::reply::{self, Reply};
use crate::server::http::{request::Request, target::Target};
use crate::server::store::Key;
use shell::io::{Input, Io, Output, input};
use shell::tty::{Keys, Tty, cooked};
use shell::{self, Container, clock::Clock};

/// The longest that a process runs for a client, as kubelet's idle timeout.
const LONGEST: Duration = Duration::from_secs(4 * 3_600);
/// A larger message ends the connection.
const MESSAGE: usize = 4 << 20;
/// How long a client may take to close its side.
const GOODBYE: Duration = Duration::from_secs(1);
/// Chunks between the connection and the process.
const WAITING: usize = 8;

/// Which streams a client wants.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    stdin: bool,
    stdout: bool,
    stderr: bool,
    tty: bool,
}

/// What is at the other end.
enum Behind {
    Command(Vec<String>),
    /// The container's own process, and whether it ends with its first client.
    Main {
        argv: Vec<String>,
        once: bool,
    },
    Output(Box<Follower>),
}

pub(super) fn exec(host: &Host, target: &Target, request: &Request) -> Answer<Reply> {
    connect(host, target, request, |_, _, _| Some(Behind::Command(request.queries("command").map(str::to_owned).collect())))
}

pub(super) fn attach(host: &Host, target: &Target, request: &Request) -> Answer<Reply> {
    connect(host, target, request, |pod, name, container| {
        let spec = container::spec(pod, name)?;
        match runtime::own_process(spec, &container.env).filter(|_| spec["stdin"] == true && host.outcome(pod, name).is_none()) {
            Some(argv) => Some(Behind::Main { argv, once: spec["stdinOnce"] == true }),
            None => Follower::from_now(host, target, pod, name).map(Box::new).map(Behind::Output),
        }
    })
}

fn connect(host: &Host, target: &Target, request: &Request, behind: impl FnOnce(&Value, &str, &Container) -> Option<Behind>) -> Answer<Reply> {
    if !matches!(request.method, Method::GET | Method::POST) {
        return Err(Refusal::method());
    }
    let pod = host.cluster.get(&target.kind, &Key::new(&target.namespace, &target.name))?.value();
    let name = container::meant(&pod, request.query("container"))?;
    if text(&pod, "spec.nodeName").is_empty() {
        return Err(Refusal::bad_request(format!("pod {} does not have a host assigned", target.name)));
    }
    if request.header(header::UPGRADE).is_empty() {
        return Err(Refusal::bad_request("Upgrade request required"));
    }
    let [stdin, stdout, stderr, tty] = ["stdin", "stdout", "stderr", "tty"].map(|name| request.flag(name));
    let wanted = Wanted { stdin, stdout, stderr: stderr && !tty, tty };
    // From here on it is kubelet that speaks, in plain text.
    if !(wanted.stdin || wanted.stdout || wanted.stderr) {
        return Ok(reply::text(400, "you must specify at least 1 of stdin, stdout, stderr"));
    }
    if container::status(&pod, &name).is_none_or(|s| at(s, "state.running").is_none()) {
        let attaching = target.subresource == "attach";
        let what = if attaching {
            format!("container {name} not found in pod {}_{}", target.name, target.namespace)
        } else {
            format!("container not found ({name:?})")
        };
        return Ok(reply::text(500, what));
    }
    let Some(protocol) = protocol(request) else {
        return Ok(reply::text(400, "unable to upgrade: the sandbox speaks WebSocket with v5.channel.k8s.io or v4.channel.k8s.io only\n"));
    };
    let accept = derive_accept_key(request.header(header::SEC_WEBSOCKET_KEY).as_bytes());
    let Some(upgrade) = request.upgrade() else { return Err(Refusal::bad_request("the connection can't be upgraded")) };
    let Some(permit) = host.containers.session() else {
        return Err(Refusal::new(429, "TooManyRequests", "the sandbox runs too many processes at once: try again later"));
    };
    let inside = host.containers.open(&host.cluster, &pod, &name);
    let Some(behind) = behind(&pod, &name, &inside) else { return Err(Refusal::internal("the container has ended")) };
    let id = container::status(&pod, &name).map_or("", |s| text(s, "containerID")).to_owned();
    let ended = move |code| Ended { pod: Key::of(&pod), uid: text(&pod, "metadata.uid").to_owned(), container: name.clone(), id: id.clone(), code };
    let (host, table) = (host.clone(), target.kind.table());
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let config = WebSocketConfig::default().max_message_size(Some(MESSAGE)).max_frame_size(Some(MESSAGE));
        let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
        let over = over(&host, &table, ended(0));
        let session = async {
            match behind {
                Behind::Command(argv) => drop(session(socket, inside, &argv, wanted, status, over).await),
                Behind::Main { argv, once } => {
                    let left = session(socket, inside, &argv, wanted, |_| status(&Ok(0)), over).await;
                    if let Some(code) = left.or(once.then_some(0)) {
                        let _ = host.ended.send(ended(code));
                    }
                }
                Behind::Output(follower) => output(socket, *follower, wanted).await,
            }
        };
        tokio::select! {
            () = session => {}
            () = tokio::time::sleep(LONGEST) => {}
            () = host.stop.cancelled() => {}
        }
        drop(permit);
    });
    Ok(switching(&accept, protocol))
}

/// The client's first protocol that is spoken here, if it asks for a WebSocket at all.
fn protocol(request: &Request) -> Option<&'static str> {
    let websocket = request.header(header::UPGRADE).eq_ignore_ascii_case("websocket") && request.method == Method::GET;
    let offered = request.header(header::SEC_WEBSOCKET_PROTOCOL);
    let known = |name: &str| PROTOCOLS.iter().find(|p| **p == name.trim()).copied();
    if websocket { offered.split(',').find_map(known) } else { None }
}

fn switching(accept: &str, protocol: &'static str) -> Reply {
    let mut reply = reply::empty(101);
    let headers = reply.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    if let Ok(accept) = HeaderValue::from_str(accept) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    reply
}

/// Waits for the end of this life of a container: all of its processes end with the first.
async fn over(host: &Host, table: &str, life: Ended) {
    let mut changes = host.cluster.lister().changes(table);
    loop {
        let pod = host.cluster.lister().get(table, &life.pod).map(|entry| entry.value());
        let status = pod.as_ref().and_then(|pod| container::status(pod, &life.container));
        let runs = status.is_some_and(|s| at(s, "state.running").is_some() && text(s, "containerID") == life.id);
        if !runs || changes.changed().await.is_err() {
            return;
        }
    }
}

/// Runs a process for a client, and tells it the end. Its exit code, unless the client left first.
async fn session(
    socket: channels::Socket,
    container: Arc<Container>,
    argv: &[String],
    wanted: Wanted,
    last_word: impl Fn(&Result<i32, String>) -> Value,
    over: impl Future<Output = ()>,
) -> Option<i32> {
    let (mut sink, stream) = socket.split();
    if !greet(&mut sink, wanted).await {
        return None;
    }
    let (stdin, received) = mpsc::channel(WAITING);
    let (stdout, mut out) = mpsc::channel(WAITING);
    let (stderr, mut err) = mpsc::channel::<Bytes>(WAITING);
    let tty = wanted.tty.then(|| Arc::new(Tty::default()));
    let (received, typing) = terminal(tty.clone(), received, stdout.clone());
    let io = streams(wanted, received, stdout, stderr);
    let process = async move {
        tokio::select! {
            ended = shell::start(container, Arc::new(Clock::live()), tty, argv, io) => ended.map_err(|e| format!("OCI runtime exec failed: exec failed: {e}")),
            () = over => Ok(137),
        }
    };
    let sending = async move {
        tokio::pin!(process);
        let mut ended = None;
        loop {
            tokio::select! {
                status = &mut process, if ended.is_none() => ended = Some(status),
                Some(bytes) = out.recv() => {
                    let bytes = if wanted.tty { cooked(&bytes) } else { bytes };
                    if !channels::send(&mut sink, STDOUT, &bytes).await {
                        return None;
                    }
                }
                Some(bytes) = err.recv() => {
                    if !channels::send(&mut sink, STDERR, &bytes).await {
                        return None;
                    }
                }
                else => break,
            }
            // A terminal's echo keeps the output open: what was written is out, then the process' end counts.
            if wanted.tty && ended.is_some() && out.is_empty() {
                break;
            }
        }
        let ended = ended?;
        channels::send(&mut sink, STATUS, last_word(&ended).to_string().as_bytes()).await;
        channels::close(&mut sink).await;
        ended.ok()
    };
    let receiving = channels::receive(stream, stdin);
    tokio::pin!(receiving);
    let code = tokio::select! {
        () = &mut receiving => return None,
        code = sending => code,
        () = typing => None,
    };
    // What the client still sends is taken in: a reset could overtake the status.
    let _ = tokio::time::timeout(GOODBYE, receiving).await;
    code
}

/// The streams of a process. What the client doesn't want is gone here: the session lasts as long as a sender does.
fn streams(wanted: Wanted, received: mpsc::Receiver<Bytes>, stdout: mpsc::Sender<Bytes>, stderr: mpsc::Sender<Bytes>) -> Io {
    Io {
        stdin: if wanted.stdin { input(received) } else { Input::empty() },
        stderr: match (wanted.tty, wanted.stderr) {
            (true, _) => Output::Pipe(stdout.clone()),
            (false, true) => Output::Pipe(stderr),
            (false, false) => Output::Null,
        },
        stdout: if wanted.stdout { Output::Pipe(stdout) } else { Output::Null },
    }
}

/// A client may wait for a sign that the streams are there.
async fn greet(sink: &mut channels::Sink, wanted: Wanted) -> bool {
    let first = [(wanted.stdout, STDOUT), (wanted.stderr, STDERR), (true, STATUS)];
    match first.iter().find(|(is, _)| *is) {
        Some((_, channel)) => channels::send(sink, *channel, b"").await,
        None => true,
    }
}

/// Shows what a process prints from now on, until it ends.
async fn output(socket: channels::Socket, mut follower: Follower, wanted: Wanted) {
    let (mut sink, stream) = socket.split();
    let (stdin, _) = mpsc::channel(1);
    let sending = async move {
        if !greet(&mut sink, wanted).await {
            return;
        }
        while let Some(bytes) = follower.next().await {
            let bytes = if wanted.tty { cooked(&bytes) } else { bytes };
            if wanted.stdout && !channels::send(&mut sink, STDOUT, &bytes).await {
                return;
            }
        }
        channels::send(&mut sink, STATUS, status(&Ok(0)).to_string().as_bytes()).await;
        channels::close(&mut sink).await;
    };
    let receiving = channels::receive(stream, stdin);
    tokio::pin!(receiving);
    tokio::select! {
        () = &mut receiving => return,
        () = sending => {}
    }
    let _ = tokio::time::timeout(GOODBYE, receiving).await;
}

/// With a terminal, what is received are keys; they become lines. Without one, nothing happens in between.
fn terminal(
    tty: Option<Arc<Tty>>,
    mut received: mpsc::Receiver<Bytes>,
    echo: mpsc::Sender<Bytes>,
) -> (mpsc::Receiver<Bytes>, impl Future<Output = ()>) {
    let (lines, cooked) = mpsc::channel(WAITING);
    let Some(tty) = tty else {
        drop(echo);
        return (received, futures::future::Either::Left(std::future::pending()));
    };
    let typing = async move {
        let mut keys = Keys::default();
        while let Some(bytes) = received.recv().await {
            if !keys.typed(&tty, &bytes, &echo, &lines).await {
                break;
            }
        }
        drop(lines);
        // The process ends the session, not its input.
        while received.recv().await.is_some() {}
        std::future::pending().await
    };
    (cooked, futures::future::Either::Right(typing))
}

/// The Status of a process' end.
fn status(ended: &Result<i32, String>) -> Value {
    match ended {
        Ok(0) => json!({"metadata": {}, "status": "Success"}),
        Ok(code) => json!({"metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
            "message": format!("command terminated with non-zero exit code: command terminated with exit code {code}"),
            "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]}}),
        Err(why) => {
            let id = format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>());
            let why = format!(
                "Internal error occurred: error executing command in container: failed to exec in container: failed to start exec {id:?}: {why}"
            );
            // Said by the runtime's side and by kubelet's.
            let message = format!("Internal error occurred: {why}");
            json!({"metadata": {}, "status": "Failure", "reason": "InternalError", "message": message, "details": {"causes": [{"message": why}]}, "code": 500})
        }
    }
}
