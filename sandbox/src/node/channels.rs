//! The channel protocol of `exec` and `attach` over a WebSocket: the first byte of each message is its stream.
//!
//! `v4.channel.k8s.io` and `v5.channel.k8s.io`; the latter can close a stream (255, then the stream), which is how a
//! client ends a process' input.

use bytes::{BufMut, Bytes, BytesMut};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes, protocol::CloseFrame};

pub(super) type Socket = WebSocketStream<TokioIo<Upgraded>>;
pub(super) type Sink = SplitSink<Socket, Message>;

pub(super) const STDIN: u8 = 0;
pub(super) const STDOUT: u8 = 1;
pub(super) const STDERR: u8 = 2;
pub(super) const STATUS: u8 = 3;
const CLOSE: u8 = 255;

/// Newest first, as the real server prefers them.
pub(super) const PROTOCOLS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

/// Sends bytes on a stream.
pub(super) async fn send(sink: &mut Sink, channel: u8, bytes: &[u8]) -> bool {
    let mut message = BytesMut::with_capacity(bytes.len() + 1);
    message.put_u8(channel);
    message.put_slice(bytes);
    sink.send(Message::Binary(message.freeze())).await.is_ok()
}

/// Says that all is well and over.
pub(super) async fn close(sink: &mut Sink) {
    let frame = CloseFrame { code: CloseCode::Normal, reason: Utf8Bytes::default() };
    let _ = sink.send(Message::Close(Some(frame))).await;
}

/// Passes the client's input on, until the connection ends. Input that nobody reads is thrown away.
pub(super) async fn receive(mut stream: SplitStream<Socket>, stdin: mpsc::Sender<Bytes>) {
    let mut stdin = Some(stdin);
    while let Some(Ok(message)) = stream.next().await {
        let mut bytes = match message {
            Message::Binary(bytes) => bytes,
            Message::Text(text) => text.into(),
            Message::Close(_) => return,
            _ => continue,
        };
        match bytes.first().copied() {
            Some(STDIN) => {
                let bytes = bytes.split_off(1);
                if let Some(open) = stdin.as_ref().filter(|_| !bytes.is_empty())
                    && open.send(bytes).await.is_err()
                {
                    stdin = None;
                }
            }
            Some(CLOSE) if bytes.get(1) == Some(&STDIN) => stdin = None,
            // Sizes of a terminal that nothing looks at, and streams that don't exist.
            _ => {}
        }
    }
}
