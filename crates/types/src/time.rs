//! A point in time as it is stored: microseconds since 1970, UTC. JSON shows RFC 3339.

use std::{
    fmt,
    str::FromStr,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This process's clock. Leases go by the database's clock instead.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => write!(f, "{time:.6}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Timestamp {
    type Err = String;

    /// Reads RFC 3339 with any offset. What is finer than a microsecond is cut off.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<jiff::Timestamp>().map(|time| Self(time.as_microsecond())).map_err(|_| "must be a time as in RFC 3339".into())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The years that RFC 3339 can name.
    const YEARS: std::ops::Range<i64> = -62_167_219_200_000_000..253_402_207_200_000_000;

    proptest! {
        #[test]
        fn every_time_survives_json(micros in YEARS) {
            let text = serde_json::to_string(&Timestamp(micros)).expect("serializes");
            prop_assert_eq!(serde_json::from_str::<Timestamp>(&text).expect("parses"), Timestamp(micros));
        }
    }

    #[test]
    fn other_offsets_are_read_and_other_texts_are_not() {
        assert_eq!("2026-11-28T03:00:00+02:00".parse(), "2026-11-28T01:00:00.000000Z".parse::<Timestamp>());
        for bad in ["", "yesterday", "2026-11-28", "2026-11-28T03:00:00", "1795834800"] {
            assert!(bad.parse::<Timestamp>().is_err(), "{bad}");
        }
    }
}
