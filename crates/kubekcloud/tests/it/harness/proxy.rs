//! A way to a server that can be cut.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// How a server is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outage {
    /// Connections are closed, and new ones as well: it was stopped.
    Refuses,
    /// Nothing passes, and what was sent arrives afterwards: a cable was pulled.
    Delays,
    /// Nothing passes, and connections from before, or from meanwhile, never answer again: its machine was lost.
    Forgets,
}

/// Passes bytes between clients and one server.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    outage: watch::Sender<Option<Outage>>,
}

type Watch = watch::Receiver<Option<Outage>>;

impl Proxy {
    pub(crate) async fn start(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let address = listener.local_addr().expect("an address");
        let (outage, watch) = watch::channel(None);
        let server = server.to_owned();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.expect("accepts");
                tokio::spawn(pass(client, server.clone(), watch.clone()));
            }
        });
        Self { address, outage }
    }

    /// Begins an outage, or ends it.
    pub(crate) fn set(&self, outage: Option<Outage>) {
        self.outage.send_replace(outage);
    }
}

async fn pass(client: TcpStream, server: String, mut watch: Watch) {
    if !may_pass(&mut watch).await {
        return;
    }
    let Ok(server) = TcpStream::connect(server).await else { return };
    let ((client_out, client_in), (server_out, server_in)) = (client.into_split(), server.into_split());
    // Either's end is the end of both.
    tokio::select! {
        () = copy(client_out, server_in, watch.clone()) => {}
        () = copy(server_out, client_in, watch) => {}
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut watch: Watch) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        tokio::select! {
            biased;
            _ = watch.changed() => {
                if !may_pass(&mut watch).await {
                    return;
                }
            }
            read = from.read(&mut buffer) => match read {
                Ok(count @ 1..) if to.write_all(&buffer[..count]).await.is_ok() => {}
                _ => return,
            }
        }
    }
}

/// Returns once bytes may pass; `false`: this connection is to be closed.
async fn may_pass(watch: &mut Watch) -> bool {
    let outage = *watch.borrow_and_update();
    match outage {
        None => true,
        Some(Outage::Refuses) => false,
        Some(Outage::Delays) => watch.wait_for(Option::is_none).await.is_ok(),
        Some(Outage::Forgets) => std::future::pending().await,
    }
}
