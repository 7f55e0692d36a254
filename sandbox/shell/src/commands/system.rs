//! Commands that tell about the container and the time.

use std::time::Duration;

use super::known::is_program;
use super::options::options;
use crate::io::Io;
use crate::places::shown;
use crate::process::Process;
use crate::stop::Run;

pub(super) async fn date(process: &mut Process, io: &Io, args: &[String]) -> Run<i32> {
    let now = process.clock.now();
    let format = args.iter().find_map(|a| a.strip_prefix('+')).unwrap_or("%a %b %e %H:%M:%S UTC %Y");
    if args.iter().any(|a| a == "-s" || a.starts_with("--set")) {
        process.complain(io, "date: can't set date: Operation not permitted").await?;
        return Ok(1);
    }
    // Whatever jiff doesn't know is left out by `display`, which would fail: ask first.
    let zoned = now.to_zoned(jiff::tz::TimeZone::UTC);
    match jiff::fmt::strtime::format(format, &zoned) {
        Ok(text) => {
            process.say(io, format!("{text}\n")).await?;
            Ok(0)
        }
        Err(_) => {
            process.complain(io, &format!("date: invalid format '{format}'")).await?;
            Ok(1)
        }
    }
}

pub(super) async fn sleep(process: &mut Process, io: &Io, args: &[String]) -> Run<i32> {
    let Some(time) = (!args.is_empty()).then(|| args.iter().map(|a| seconds(a)).sum::<Option<f64>>()).flatten() else {
        process.complain(io, &format!("sleep: invalid number '{}'", args.first().map_or("", String::as_str))).await?;
        return Ok(1);
    };
    // A year is for ever here.
    process.clock.sleep(Duration::from_secs_f64(time.clamp(0.0, 31_536_000.0))).await?;
    Ok(0)
}

fn seconds(text: &str) -> Option<f64> {
    if matches!(text, "infinity" | "inf") {
        return Some(f64::MAX);
    }
    let unit = text.chars().last()?;
    let factor = match unit {
        's' => 1.0,
        'm' => 60.0,
        'h' => 3_600.0,
        'd' => 86_400.0,
        _ => return text.parse().ok().filter(|n: &f64| n.is_finite() && *n >= 0.0),
    };
    let number: f64 = text.strip_suffix(unit)?.parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number * factor)
}

pub(super) async fn tell(process: &mut Process, io: &Io, name: &str, args: &[String]) -> Run<i32> {
    let container = process.container.clone();
    let (letters, words) = options(args);
    let text = match name {
        "hostname" if letters.contains('i') => container.address.clone(),
        "hostname" => container.hostname.clone(),
        "whoami" if container.uid != 0 => {
            process.complain(io, &format!("whoami: unknown uid {}", container.uid)).await?;
            return Ok(1);
        }
        "whoami" => "root".to_owned(),
        "id" => id(container.uid, container.gid, &letters),
        "pwd" => shown(&process.cwd),
        "nproc" => "1".to_owned(),
        "uname" if letters.contains('a') => format!("Linux {} simulated #1 SMP KubeKCloud sandbox x86_64 Linux", container.hostname),
        "uname" => letters.chars().map(|c| uname(c, &container.hostname)).reduce(|a, b| a + " " + &b).unwrap_or_else(|| uname('s', "")),
        "uptime" => format!(" {} up 1 min,  load average: 0.00, 0.00, 0.00", process.clock.now().strftime("%H:%M:%S")),
        "ps" => format!("PID   USER     TIME  COMMAND\n    1 root      0:00 {}\n    7 root      0:00 ps", container.main),
        _ => {
            let found: Vec<String> = words.iter().filter(|w| is_program(process, w)).map(|w| format!("/bin/{w}")).collect();
            if found.len() < words.len() {
                process.clock.lack();
                process.say(io, found.iter().map(|f| format!("{f}\n")).collect::<String>()).await?;
                return Ok(1);
            }
            found.join("\n")
        }
    };
    process.say(io, text + "\n").await?;
    Ok(0)
}

fn id(uid: i64, gid: i64, letters: &str) -> String {
    let named = |id: i64| if id == 0 { "0(root)".to_owned() } else { id.to_string() };
    match letters {
        "u" => uid.to_string(),
        "g" => gid.to_string(),
        "un" if uid == 0 => "root".to_owned(),
        _ => format!("uid={} gid={} groups={}", named(uid), named(gid), named(gid)),
    }
}

fn uname(letter: char, hostname: &str) -> String {
    match letter {
        's' => "Linux",
        'n' => hostname,
        'r' => "simulated",
        'm' => "x86_64",
        _ => "unknown",
    }
    .to_owned()
}
