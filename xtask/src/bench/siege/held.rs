//! Connections that are held open, and opened anew when they are closed.

use anyhow::{Context, Result};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
};

/// Loopback has as many addresses as one likes: these are 127.0.0.2 and on.
const ADDRESSES: usize = 8;
const CRAWL: Duration = Duration::from_secs(1);
/// One that is closed, or can't be opened, is opened anew after this: they are held, not a flood.
const AGAIN: Duration = Duration::from_secs(1);

/// What a connection says.
#[derive(Clone)]
pub(super) struct Says {
    first: Arc<str>,
    ever_more: bool,
}

/// They end with this value.
pub(super) struct Held {
    open: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Says {
    pub(super) fn nothing() -> Self {
        Self::once(String::new())
    }

    pub(super) fn once(first: String) -> Self {
        Self { first: first.into(), ever_more: false }
    }

    /// Then a byte a second.
    pub(super) fn ever_more(first: &str) -> Self {
        Self { first: first.into(), ever_more: true }
    }
}

impl Held {
    /// So many, which say these in turn.
    pub(super) fn open(url: &str, says: &[Says], count: usize) -> Result<Self> {
        let server: SocketAddr = url.trim_start_matches("http://").parse().context("understand the server's address")?;
        let (open, mut tasks) = (Arc::new(AtomicUsize::new(0)), JoinSet::new());
        for (n, says) in says.iter().cycle().take(count).enumerate() {
            let last = u8::try_from(2 + n % ADDRESSES).unwrap_or(2);
            tasks.spawn(hold(server, Ipv4Addr::new(127, 0, 0, last), says.clone(), open.clone()));
        }
        Ok(Self { open, _tasks: tasks })
    }

    pub(super) fn open_now(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

async fn hold(server: SocketAddr, from: Ipv4Addr, says: Says, open: Arc<AtomicUsize>) {
    loop {
        let connecting = async {
            let socket = TcpSocket::new_v4()?;
            socket.bind((from, 0).into())?;
            socket.connect(server).await
        };
        if let Ok(stream) = connecting.await {
            open.fetch_add(1, Ordering::Relaxed);
            // However it ended, there is another.
            let _closed = until_closed(stream, &says).await;
            open.fetch_sub(1, Ordering::Relaxed);
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn until_closed(mut stream: TcpStream, says: &Says) -> std::io::Result<()> {
    stream.write_all(says.first.as_bytes()).await?;
    let mut answer = [0; 1024];
    loop {
        tokio::select! {
            read = stream.read(&mut answer) => if read? == 0 { return Ok(()) },
            () = tokio::time::sleep(CRAWL), if says.ever_more => {}
        }
        if says.ever_more {
            stream.write_all(b"x").await?;
        }
    }
}
