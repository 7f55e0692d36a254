//! `KUBEKCLOUD_KILL_AT=<step>.<before|after>` kills this process there, as SIGKILL would: no destructor runs, nothing is flushed.

/// Arms the failpoint that the environment names.
pub(crate) fn arm() {
    let Ok(point) = std::env::var("KUBEKCLOUD_KILL_AT") else { return };
    let die = || {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    };
    fail::cfg_callback(point, die).expect("a callback can always be set");
}
