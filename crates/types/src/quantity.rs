//! Exact quantities: integers inside, decimals outside, never a float on the way in.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

/// Bytes in one GiB; what the wire calls GB or GiB.
pub const GIB: i64 = 1 << 30;
/// Bytes in one MiB, the step in which memory is given.
pub const MIB: i64 = 1 << 20;
/// Most CPU that a quantity may name: a million cores.
pub const CPU_MAX: MilliCpu = MilliCpu(1_000_000_000);
/// Most memory or storage that a quantity may name: 16 million GiB.
pub const BYTES_MAX: Bytes = Bytes(16_000_000 * GIB);

/// A decimal number exactly as it was written: `units / 10^scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    units: i128,
    scale: u32,
}

impl Decimal {
    /// Parses JSON's number syntax (`1`, `0.5`, `1e3`), without going through a float.
    pub fn parse(text: &str) -> Result<Self, String> {
        let err = || format!("'{}' is not a decimal number", text.chars().take(40).collect::<String>());
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| err())?),
            None => (text, 0),
        };
        let (sign, digits) = match mantissa.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, mantissa),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || (digits.contains('.') && fraction.is_empty()) {
            return Err(err());
        }
        let joined = format!("{whole}{fraction}");
        let significant = joined.trim_start_matches('0');
        if !(-30..=30).contains(&exponent) {
            return Err("has too many digits".into());
        }
        let units: i128 = if significant.is_empty() { 0 } else { significant.parse().map_err(|_| "has too many digits")? };
        let fraction_len = i32::try_from(fraction.len()).map_err(|_| err())?;
        let scale = fraction_len - exponent;
        if scale < 0 {
            let factor = 10_i128.checked_pow(scale.unsigned_abs()).ok_or_else(err)?;
            let units = units.checked_mul(factor).ok_or("has too many digits")?;
            return Ok(Self { units: sign * units, scale: 0 });
        }
        Ok(Self { units: sign * units, scale: scale.unsigned_abs() }.reduced())
    }

    /// `self * factor` when that is a whole number that fits; `None` otherwise.
    fn scaled(self, factor: i64) -> Option<i128> {
        let product = self.units.checked_mul(i128::from(factor))?;
        let divisor = 10_i128.checked_pow(self.scale)?;
        (product % divisor == 0).then_some(product / divisor)
    }

    fn reduced(mut self) -> Self {
        while self.scale > 0 && self.units % 10 == 0 {
            self.units /= 10;
            self.scale -= 1;
        }
        self
    }
}

impl fmt::Display for Decimal {
    /// Without an exponent; what is read back is equal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.units < 0 { "-" } else { "" };
        let scale = self.scale as usize;
        let digits = format!("{:0>width$}", self.units.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let point = if fraction.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{point}{fraction}")
    }
}

/// Accepts a JSON number, or a string with a Kubernetes suffix (`"4Gi"`, `"500m"`).
///
/// Both ways it must be serde_json that does it: the number's own text is read and written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amount {
    /// A plain number.
    Number(Decimal),
    /// A string, to be read by the unit that it is for.
    Text(String),
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<serde_json::value::RawValue>::deserialize(deserializer)?;
        let text = raw.get().trim();
        if text.starts_with('"') {
            return serde_json::from_str(text).map(Self::Text).map_err(de::Error::custom);
        }
        if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return Decimal::parse(text).map(Self::Number).map_err(de::Error::custom);
        }
        Err(de::Error::custom("must be a number"))
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serde_json::value::RawValue::from_string(number.to_string()).map_err(ser::Error::custom)?.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// CPU in thousandths of a core.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MilliCpu(pub i64);

impl MilliCpu {
    /// Reads cores (`0.5`) or Kubernetes' notation (`"500m"`), in steps of 0.001. Zero is accepted, less is not.
    pub fn parse(amount: &Amount) -> Result<Self, String> {
        let millis = match amount {
            Amount::Number(cores) => cores.scaled(1000),
            Amount::Text(text) => match text.strip_suffix('m') {
                Some(millis) => Decimal::parse(millis)?.scaled(1),
                None => Decimal::parse(text)?.scaled(1000),
            },
        };
        let millis = millis.ok_or("must be a multiple of 0.001 cores")?;
        bounded(millis, CPU_MAX.0, "1000000 cores").map(Self)
    }

    /// Cores, for JSON. Exact for every value up to [`CPU_MAX`].
    pub fn cores(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// Whether this is a whole number of cores.
    pub const fn is_whole(self) -> bool {
        self.0 % 1000 == 0
    }

    /// Kubernetes' notation: `2`, `500m`.
    pub fn kubernetes(self) -> String {
        if self.is_whole() { (self.0 / 1000).to_string() } else { format!("{}m", self.0) }
    }
}

/// Memory or storage in bytes; the wire says GiB.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub i64);

impl Bytes {
    /// Reads GiB (`4.0`) or Kubernetes' notation (`"4Gi"`, `"512Mi"`), in steps of 1 MiB. Zero is accepted, less is not.
    pub fn parse(amount: &Amount) -> Result<Self, String> {
        let bytes = match amount {
            Amount::Number(gib) => gib.scaled(GIB),
            Amount::Text(text) => {
                const SUFFIXES: [(&str, i64); 4] = [("Ti", GIB * 1024), ("Gi", GIB), ("Mi", MIB), ("", GIB)];
                SUFFIXES
                    .iter()
                    .find_map(|(suffix, unit)| text.strip_suffix(suffix).map(|number| (number, *unit)))
                    .map(|(number, unit)| Decimal::parse(number).map(|n| n.scaled(unit)))
                    .transpose()?
                    .flatten()
            }
        };
        let bytes = bytes.filter(|b| b % i128::from(MIB) == 0).ok_or("must be a whole number of MiB (multiples of 1/1024)")?;
        bounded(bytes, BYTES_MAX.0, "16000000 GiB").map(Self)
    }

    /// GiB, for JSON.
    pub fn gib(self) -> f64 {
        self.0 as f64 / GIB as f64
    }

    /// Kubernetes' notation in the original unit: `4096Mi`.
    pub fn kubernetes(self) -> String {
        format!("{}Mi", self.0 / MIB)
    }
}

fn bounded(value: i128, max: i64, max_text: &str) -> Result<i64, String> {
    if value < 0 {
        return Err("must not be negative".into());
    }
    i64::try_from(value).ok().filter(|v| *v <= max).ok_or_else(|| format!("must be at most {max_text}"))
}

/// `number` in the steps of its unit, which is how many there are to a one. In JSON there is nothing between two steps, so a
/// reader that is wrong in a float's last digit is still right. (serde_json's may be.)
fn steps(number: f64, per_unit: f64, step: &str) -> Result<i64, String> {
    const EXACT: f64 = (1_u64 << 53) as f64;
    let steps = number * per_unit;
    let whole = steps.round();
    if !(-EXACT..=EXACT).contains(&whole) || (steps - whole).abs() > 0.01 {
        return Err(format!("must be a multiple of {step}"));
    }
    Ok(whole as i64)
}

macro_rules! as_number {
    ($name:ident, $get:ident, $per_unit:expr, $step:literal, $size:expr) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_f64(self.$get())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let steps = steps(f64::deserialize(deserializer)?, $per_unit, $step).map_err(de::Error::custom)?;
                steps.checked_mul($size).map(Self).ok_or_else(|| de::Error::custom("is too large"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.$get())
            }
        }
    };
}
as_number!(MilliCpu, cores, 1000.0, "0.001 cores", 1);
as_number!(Bytes, gib, 1024.0, "1/1024 GiB", MIB);

#[cfg(test)]
#[path = "quantity_tests.rs"]
mod tests;
