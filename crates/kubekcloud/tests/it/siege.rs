//! Nobody can take what others need: connections, bodies, requests, guesses.
//!
//! Bounds are generous, because the machine may be busy: what they tell apart is an answer and none.

use std::time::{Duration, Instant};

use futures::{StreamExt, future::join_all, stream};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{Client, Server, eventually};

/// How long somebody else's request may take meanwhile; one in ten may find the machine busy.
const SLOW: Duration = Duration::from_secs(1);
const SAMPLES: usize = 20;

/// This process holds the other ends.
fn allow_files() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("allows more files");
}

fn address(server: &Server) -> String {
    server.url.trim_start_matches("http://").to_owned()
}

/// Opens connections that begin with `first`, and keeps them.
async fn connections(server: &Server, count: usize, first: &[u8]) -> Vec<TcpStream> {
    let address = address(server);
    let opened = stream::iter(0..count).map(|_| async {
        let mut stream = TcpStream::connect(&address).await.expect("connects");
        // Who was refused is closed by then.
        let _ = stream.write_all(first).await;
        stream
    });
    opened.buffer_unordered(64).collect().await
}

/// Others are answered, health too, and memory stays where it was.
async fn others_are_answered(server: &Server, other: &Client) {
    let (mut requests, mut health) = (Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        let started = Instant::now();
        other.get("/api/v1/users/me").await.expect(200);
        requests.push(started.elapsed());
        let started = Instant::now();
        assert_eq!(server.operator.get("/livez").await.status, 200);
        server.anonymous().get("/health").await.expect(200);
        health.push(started.elapsed());
    }
    for (what, mut took) in [("requests of somebody else", requests), ("health", health)] {
        took.sort();
        assert!(took[SAMPLES * 9 / 10] < SLOW, "{what}: {took:?}");
    }
    assert!(server.resident_mib() < 150, "{} MiB", server.resident_mib());
}

#[tokio::test]
async fn silent_and_crawling_connections_keep_nobody_out() {
    allow_files();
    let (server, _database, _kubernetes) = Server::fresh().await;
    let other = server.user().await;
    let silent = connections(&server, 2_500, b"").await;
    let crawling = connections(&server, 2_500, b"GET /api/v1/users/me HTTP/1.1\r\nhost: x\r\nx-slow: ").await;
    others_are_answered(&server, &other).await;
    drop((silent, crawling));
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let mut silent = connections(&server, 1, b"").await.remove(0);
    let mut half = connections(&server, 1, b"GET /health HT").await.remove(0);
    let mut rest = Vec::new();
    for stream in [&mut silent, &mut half] {
        let closed = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
        assert!(closed.is_ok(), "it is still open");
    }
}

#[tokio::test]
async fn http_2_is_not_spoken() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let mut stream = connections(&server, 1, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.remove(0);
    let mut answer = Vec::new();
    tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await.expect("it is closed").expect("reads");
    assert!(!answer.starts_with(b"\0\0"), "no SETTINGS frame");
}

#[tokio::test]
async fn bodies_that_do_not_end_hold_neither_memory_nor_others() {
    allow_files();
    let (server, _database, _kubernetes) = Server::fresh().await;
    let (hostile, other) = (server.user().await, server.user().await);
    let half = |path: &str, token: &str| {
        let mut text = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n"
        );
        text.push_str(&"x".repeat(200_000));
        text.into_bytes()
    };
    let token = hostile.token.clone().expect("a token");
    let anonymous = b"POST /api/v1/users HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n{".to_vec();
    let authorized = half("/api/v1/clusters", &token);
    let (refused, held) = tokio::join!(connections(&server, 700, &anonymous), connections(&server, 300, &authorized));
    others_are_answered(&server, &other).await;
    let mut first = refused.into_iter().next().expect("one");
    let mut answer = [0; 12];
    tokio::time::timeout(Duration::from_secs(20), first.read_exact(&mut answer)).await.expect("it is answered").expect("reads");
    assert_eq!(&answer, b"HTTP/1.1 401", "who may not create users is refused before the body has come");
    drop(held);
}

#[tokio::test]
async fn who_waits_for_too_much_at_once_is_told_so_and_nobody_else() {
    allow_files();
    let (server, _database, _kubernetes) = Server::fresh().await;
    let (hostile, other) = (server.user().await, server.user().await);
    // Bodies that are on their way are requests under way.
    let token = hostile.token.clone().expect("a token");
    let waiting = format!(
        "POST /api/v1/clusters HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{"
    );
    let mut held = connections(&server, 256, waiting.as_bytes()).await;
    let refused = loop {
        // Our own request may have come before one of those, which was refused then: one more each time.
        held.extend(connections(&server, 1, waiting.as_bytes()).await);
        let answer = hostile.get("/api/v1/users/me").await;
        if answer.status == 429 {
            break answer;
        }
        assert!(held.len() < 400, "there is no bound");
    };
    assert!(refused.headers.contains_key("retry-after"));
    refused.expect_problem(429, "too_many_requests", None);
    others_are_answered(&server, &other).await;
    drop(held);
    eventually("there is room again", 20, || async { (hostile.get("/api/v1/users/me").await.status == 200).then_some(()) }).await;
}

#[tokio::test]
async fn a_hundred_requests_of_one_user_at_once_are_none_too_many() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let user = server.user().await;
    let answers = join_all((0..100).map(|_| user.get("/api/v1/users/me/quota"))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
}

#[tokio::test]
async fn who_guesses_tokens_is_slowed_and_the_right_one_is_not_refused() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let user = server.user().await;
    for guess in 0..10 {
        let answer = server.anonymous().with_token(&format!("guess-number-{guess:020}")).get("/api/v1/users/me").await;
        answer.expect_problem(401, "unauthenticated", None);
    }
    let started = Instant::now();
    let answer = server.anonymous().with_token("guess-number-00000000000000000010").get("/api/v1/users/me").await;
    assert!(answer.headers.contains_key("retry-after") && started.elapsed() >= Duration::from_millis(900));
    answer.expect_problem(429, "too_many_requests", None);
    user.get("/api/v1/users/me").await.expect(200);
}
