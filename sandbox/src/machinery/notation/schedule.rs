//! The schedules of CronJobs: five fields in a time zone, or one of the `@` forms.

use std::str::FromStr;

use croner::parser::{CronParser, Seconds, Year};
use jiff::{SignedDuration, Timestamp, Zoned, tz::TimeZone};

/// When Jobs are due.
pub(crate) enum Times {
    Pattern(Box<croner::Cron>, TimeZone),
    /// `@every 5m`, counted from the time before.
    Every(SignedDuration),
}

impl Times {
    pub(crate) fn parse(schedule: &str, zone: &str) -> Result<Self, String> {
        if let Some(period) = schedule.strip_prefix("@every ") {
            let period = SignedDuration::from_str(period).map_err(|e| e.to_string())?;
            return Ok(Times::Every(period.max(SignedDuration::from_secs(1))));
        }
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).sloppy_ranges(true).build();
        let zone = if zone.is_empty() { TimeZone::UTC } else { TimeZone::get(zone).map_err(|e| e.to_string())? };
        let pattern = parser.parse(schedule).map_err(|e| e.to_string())?;
        Ok(Times::Pattern(Box::new(pattern), zone))
    }

    pub(crate) fn after(&self, time: Timestamp) -> Option<Timestamp> {
        match self {
            Times::Every(period) => Some(time + *period),
            Times::Pattern(cron, zone) => cron.find_next_occurrence(&Zoned::new(time, zone.clone()), false).ok().map(|z| z.timestamp()),
        }
    }

    /// The last time up to now that came after another.
    pub(crate) fn last(&self, after: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let last = match self {
            Times::Every(period) => {
                let passed = now.duration_since(after).as_secs() / period.as_secs().max(1);
                after + SignedDuration::from_secs(passed * period.as_secs().max(1))
            }
            Times::Pattern(cron, zone) => cron.find_previous_occurrence(&Zoned::new(now, zone.clone()), true).ok()?.timestamp(),
        };
        (last > after).then_some(last)
    }
}

/// What is wrong with a CronJob's schedule or time zone, in the API server's words: the field and the message.
pub(crate) fn wrong(schedule: &str, zone: &str) -> Option<(&'static str, String)> {
    if Times::parse("@daily", zone).is_err() {
        return Some(("spec.timeZone", format!("unknown time zone {zone}")));
    }
    let why = Times::parse(schedule, "").err()?;
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    if fields.len() == 5 || schedule.starts_with('@') {
        return Some(("spec.schedule", why));
    }
    Some(("spec.schedule", format!("expected exactly 5 fields, found {}: [{}]", fields.len(), fields.join(" "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &str, zone: &str, from: &str) -> String {
        let times = Times::parse(schedule, zone).expect("a schedule");
        times.after(from.parse().expect("a time")).expect("a next time").to_string()
    }

    #[test]
    fn schedules_are_those_of_kubernetes() {
        assert_eq!(next("*/5 * * * *", "", "2026-11-21T10:02:30Z"), "2026-11-21T10:05:00Z");
        assert_eq!(next("@hourly", "", "2026-11-21T10:00:00Z"), "2026-11-21T11:00:00Z");
        assert_eq!(next("30 8 * * MON-FRI", "", "2026-11-21T10:00:00Z"), "2026-11-23T08:30:00Z");
        assert_eq!(next("0 0 13 * FRI", "", "2026-11-01T00:00:00Z"), "2026-11-06T00:00:00Z", "a day of either kind is enough");
        assert_eq!(next("0 9 * * *", "Europe/Zurich", "2026-07-01T00:00:00Z"), "2026-07-01T07:00:00Z");
        assert_eq!(next("@every 1h30m", "", "2026-11-21T10:00:00Z"), "2026-11-21T11:30:00Z");
        assert!(Times::parse("* * * * * *", "").is_err(), "no seconds");
        assert!(Times::parse("61 * * * *", "").is_err());
        assert!(Times::parse("* * * * *", "Nowhere/Town").is_err());
        assert_eq!(wrong("every day", ""), Some(("spec.schedule", "expected exactly 5 fields, found 2: [every day]".to_owned())));
        assert_eq!(wrong("@daily", "Nowhere"), Some(("spec.timeZone", "unknown time zone Nowhere".to_owned())));
        assert_eq!(wrong("*/5 * * * *", "Europe/Zurich"), None);
    }

    #[test]
    fn of_several_missed_times_the_last_counts() {
        let times = Times::parse("* * * * *", "").expect("a schedule");
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        assert_eq!(times.last(at("2026-11-21T10:00:00Z"), at("2026-11-21T10:05:30Z")), Some(at("2026-11-21T10:05:00Z")));
        assert_eq!(times.last(at("2026-11-21T10:05:00Z"), at("2026-11-21T10:05:30Z")), None);
    }
}
