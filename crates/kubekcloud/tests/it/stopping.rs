//! How a process ends.

use std::{os::unix::process::ExitStatusExt, time::Duration};

use rustix::process::{Signal, kill_process};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::harness::{Server, eventually};

#[tokio::test]
async fn readiness_turns_before_the_door_closes() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let user = server.user().await;
    assert_eq!(server.operator.get("/readyz").await.status, 200);
    kill_process(server.pid(), Signal::TERM).expect("signals");
    eventually("it is not ready", 2, || async { (server.operator.get("/readyz").await.status == 503).then_some(()) }).await;
    user.get("/api/v1/users/me").await.expect(200);
    assert!(server.ended().await.success());
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    // A request that keeps it from ending by itself.
    let mut open = TcpStream::connect(server.url.trim_start_matches("http://")).await.expect("connects");
    let token = server.user().await.token.expect("a token");
    let head = format!(
        "POST /api/v1/clusters HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n"
    );
    open.write_all(head.as_bytes()).await.expect("writes");
    kill_process(server.pid(), Signal::INT).expect("signals");
    eventually("it has heard the first", 2, || async { (server.operator.get("/readyz").await.status == 503).then_some(()) }).await;
    kill_process(server.pid(), Signal::INT).expect("signals");
    let ended = tokio::time::timeout(Duration::from_secs(1), server.ended()).await.expect("at once");
    assert_eq!((ended.code(), ended.signal()), (Some(130), None));
}
