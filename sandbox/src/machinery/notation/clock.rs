//! Times as Kubernetes writes them: UTC to the second (`Time`), or with microseconds (`MicroTime`).

use jiff::Timestamp;

/// Now, to the second.
pub(crate) fn now() -> String {
    after(0)
}

/// Now plus some seconds, to the second.
pub(crate) fn after(seconds: i64) -> String {
    let at = Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A time of protobuf's form, to the second.
pub(crate) fn from_unix(seconds: i64) -> String {
    let at = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Now, with microseconds.
pub(crate) fn now_micro() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// Nanoseconds since 1970, as event names carry them.
pub(crate) fn nanos() -> u64 {
    u64::try_from(Timestamp::now().as_nanosecond()).unwrap_or(0)
}

/// How long ago a time was, in kubectl's short form: `7s`, `5m12s`, `3h`, `42d`.
pub(crate) fn age(time: &str) -> String {
    let Ok(then) = time.parse::<Timestamp>() else {
        return "<unknown>".to_owned();
    };
    short_duration((Timestamp::now().as_second() - then.as_second()).max(0))
}

/// Seconds between two times, in kubectl's short form.
pub(crate) fn between(from: &str, to: &str) -> Option<String> {
    let (from, to) = (from.parse::<Timestamp>().ok()?, to.parse::<Timestamp>().ok()?);
    Some(short_duration((to.as_second() - from.as_second()).max(0)))
}

fn short_duration(s: i64) -> String {
    let (m, h, d) = (s / 60, s / 3600, s / 86_400);
    let pair = |a: i64, ua: &str, b: i64, ub: &str| if b == 0 { format!("{a}{ua}") } else { format!("{a}{ua}{b}{ub}") };
    match s {
        ..120 => format!("{s}s"),
        120..600 => pair(m, "m", s % 60, "s"),
        600..10_800 => format!("{m}m"),
        10_800..28_800 => pair(h, "h", m % 60, "m"),
        28_800..172_800 => format!("{h}h"),
        172_800..691_200 => pair(d, "d", h % 24, "h"),
        691_200..63_072_000 => format!("{d}d"),
        _ => pair(d / 365, "y", d % 365, "d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short_as_kubectl_prints_them() {
        for (seconds, text) in [(5, "5s"), (119, "119s"), (125, "2m5s"), (120, "2m"), (700, "11m"), (11_000, "3h3m"), (200_000, "2d7h")] {
            assert_eq!(short_duration(seconds), text);
        }
    }

    #[test]
    fn times_have_the_forms_of_the_api() {
        assert_eq!(now().len(), "2026-11-21T00:30:46Z".len());
        assert_eq!(now_micro().len(), "2026-11-21T00:30:46.804454Z".len());
        assert_eq!(age(&now()), "0s");
    }
}
