//! Where and when something was measured.

use crate::job::output;
use anyhow::{Context, Result};
use std::{fs, process::Command, thread};

/// One line of the report.
pub(super) fn describe() -> Result<String> {
    let date = String::from_utf8(output(Command::new("date").args(["-u", "+%Y-%m-%d %H:%M UTC"]))?.stdout)?;
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let cpu = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown CPU".to_owned());
    let memory = field("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next()?.parse::<u64>().ok()).unwrap_or(0);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    Ok(format!("{}, {cores} cores ({cpu}), {} GiB, Linux {}", date.trim(), memory.div_ceil(1024 * 1024), kernel.trim()))
}

/// The load of the last minute: what else the machine did. To be asked before our own build.
pub(super) fn load() -> Result<f64> {
    let text = fs::read_to_string("/proc/loadavg").context("read the load average")?;
    text.split(' ').next().and_then(|load| load.parse().ok()).context("understand the load average")
}

/// Resident memory of a process in MiB.
pub(super) fn resident(pid: u32) -> Result<f64> {
    let text = field(&format!("/proc/{pid}/status"), "VmRSS").context("the process has no memory")?;
    let kib: f64 = text.split(' ').next().unwrap_or_default().parse().context("understand VmRSS")?;
    Ok(kib / 1024.0)
}

/// Of `name : value` the first value.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    let mut values = lines.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned());
    values.next()
}
