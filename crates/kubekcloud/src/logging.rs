//! Where log lines go: standard error, as text for people or JSON for machines. `RUST_LOG` chooses what.
//!
//! A panic is a line like others, with its backtrace (when `RUST_BACKTRACE` asks for one) as a field.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic::PanicHookInfo,
};

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// Begins to log.
pub(crate) fn start(format: Format, default_level: &str) {
    let registry = tracing_subscriber::registry().with(filter(std::env::var(EnvFilter::DEFAULT_ENV).ok().as_deref(), default_level));
    match format {
        Format::Text => registry.with(fmt::layer().with_writer(std::io::stderr)).init(),
        Format::Json => registry.with(fmt::layer().json().flatten_event(true).with_writer(std::io::stderr)).init(),
    }
    std::panic::set_hook(Box::new(log_panic));
}

/// What is asked for, without the Kubernetes client's own word on each answer of 500 and more: those are errors of
/// ours, logged where they are handled. Who names the client gets it all.
fn filter(asked: Option<&str>, default_level: &str) -> EnvFilter {
    let asked = asked.filter(|asked| !asked.is_empty() && EnvFilter::try_new(asked).is_ok()).unwrap_or(default_level);
    let quiet = if asked.contains("kube_client") { "" } else { ",kube_client::client::builder=off" };
    EnvFilter::new(format!("{asked}{quiet}"))
}

fn log_panic(info: &PanicHookInfo<'_>) {
    let text = info.payload_as_str().unwrap_or("no text");
    let at = info.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current().name().unwrap_or_default().to_owned();
    let backtrace = Backtrace::capture();
    match backtrace.status() {
        BacktraceStatus::Captured => tracing::error!(text, at, thread, backtrace = backtrace.to_string(), "panicked"),
        _ => tracing::error!(text, at, thread, "panicked"),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_client_does_not_log_what_we_log() {
        assert_eq!(filter(None, "info").to_string(), "kube_client::client::builder=off,info");
        assert_eq!(filter(Some(""), "info").to_string(), "kube_client::client::builder=off,info");
        assert_eq!(filter(Some("kube_client=trace,warn"), "info").to_string(), "kube_client=trace,warn");
    }

    #[test]
    fn a_panic_is_one_line() {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = fmt::layer().json().flatten_event(true).with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let usual = std::panic::take_hook();
            std::panic::set_hook(Box::new(log_panic));
            let _ = std::panic::catch_unwind(|| panic!("two\nlines"));
            std::panic::set_hook(usual);
        });
        let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let line: serde_json::Value = serde_json::from_str(log.trim_end()).unwrap();
        assert_eq!((log.lines().count(), line["text"].as_str(), line["message"].as_str()), (1, Some("two\nlines"), Some("panicked")));
        assert!(line["at"].as_str().is_some_and(|at| at.contains("logging.rs")));
    }
}
