//! `KUBEKCLOUD_KILL_AT=<step>.<before|after>` kills this process there, as SIGKILL would: no destructor runs, nothing is flushed.
//! `KUBEKCLOUD_STOP_AT=<fence|owner>.held` freezes it there, once, as SIGSTOP would.

use std::{sync::Once, time::Duration};

use rustix::process::{Signal, getpid, kill_process};

/// Arms the failpoints that the environment names.
pub(crate) fn arm() {
    if let Ok(point) = std::env::var("KUBEKCLOUD_KILL_AT") {
        call_at(point, || signal(Signal::KILL));
    }
    if let Ok(point) = std::env::var("KUBEKCLOUD_STOP_AT") {
        let once = Once::new();
        let stop = || {
            signal(Signal::STOP);
            // Another thread may have taken the signal: this one goes no further before all stand still.
            std::thread::sleep(Duration::from_millis(200));
        };
        call_at(point, move || once.call_once(stop));
    }
}

fn call_at(point: String, act: impl Fn() + Send + Sync + 'static) {
    fail::cfg_callback(point, act).expect("a callback can always be set");
}

/// To this process.
fn signal(signal: Signal) {
    let _ = kill_process(getpid(), signal);
}
