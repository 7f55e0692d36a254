//! The wish to end, as signals bring it.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancelled at the first SIGINT or SIGTERM. Who sends a second does not want to wait: the process ends at once, which
/// everything here is made for.
pub(crate) fn on_signal() -> anyhow::Result<CancellationToken> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    tokio::spawn(async move {
        for last in [false, true] {
            let kind = tokio::select! {
                _ = interrupt.recv() => SignalKind::interrupt(),
                _ = terminate.recv() => SignalKind::terminate(),
            };
            if last {
                // What a shell says of a process that a signal ended.
                std::process::exit(128 + kind.as_raw_value());
            }
            stopped.cancel();
        }
    });
    Ok(stop)
}
