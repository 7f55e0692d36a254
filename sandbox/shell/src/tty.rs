//! A terminal's line discipline: keys are echoed and become lines, Ctrl-C interrupts, Ctrl-D ends the input.

use bytes::Bytes;
use tokio::sync::{Notify, mpsc};

/// Longer lines are cut.
const LINE: usize = 4_096;

/// A terminal.
#[derive(Debug, Default)]
pub struct Tty {
    interrupt: Notify,
}

/// The line that is being typed.
#[derive(Debug, Default)]
pub struct Keys {
    line: Vec<u8>,
    /// Within an escape sequence, such as an arrow key's.
    escape: bool,
}

impl Tty {
    /// Waits for the next Ctrl-C.
    pub(crate) async fn interrupted(&self) {
        self.interrupt.notified().await;
    }
}

impl Keys {
    /// Takes typed bytes: echoes them and passes whole lines on. False once nothing more is read.
    pub async fn typed(&mut self, tty: &Tty, keys: &[u8], echo: &mpsc::Sender<Bytes>, lines: &mpsc::Sender<Bytes>) -> bool {
        let mut shown = Vec::new();
        for key in keys {
            match *key {
                _ if self.escape => self.escape = !key.is_ascii_alphabetic() && *key != b'~',
                0x1b => self.escape = true,
                b'\r' | b'\n' => {
                    shown.extend_from_slice(b"\n");
                    self.line.push(b'\n');
                    let _ = echo.send(std::mem::take(&mut shown).into()).await;
                    let _ = lines.send(std::mem::take(&mut self.line).into()).await;
                }
                0x7f | 0x08 if self.line.is_empty() => {}
                0x7f | 0x08 => {
                    // A character may be several bytes; the whole of it goes.
                    while self.line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
                    shown.extend_from_slice(b"\x08 \x08");
                }
                0x03 => {
                    shown.extend_from_slice(b"^C\n");
                    self.line.clear();
                    tty.interrupt.notify_waiters();
                }
                0x04 if self.line.is_empty() => {
                    let _ = echo.send(shown.into()).await;
                    return false;
                }
                key if key >= 0x20 && self.line.len() < LINE => {
                    self.line.push(key);
                    shown.push(key);
                }
                _ => {}
            }
        }
        let _ = echo.send(shown.into()).await;
        true
    }
}

/// What a terminal does to output: each line end also returns to the first column.
pub fn cooked(bytes: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(bytes.len() + 16);
    for byte in bytes {
        if *byte == b'\n' {
            out.push(b'\r');
        }
        out.push(*byte);
    }
    out.into()
}
