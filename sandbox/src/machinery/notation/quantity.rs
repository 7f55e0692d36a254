//! Quantities such as `250m`, `1.5Gi` and `2e3`, exact to a billionth, and the one form in which the API writes each.

use std::fmt;

use serde_json::Value;

use crate::machinery::notation::value::plain;

/// What the real server says of a text that is none.
pub(crate) const MALFORMED: &str = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

const SUFFIX: &str = "unable to parse quantity's suffix";
const NUMBER: &str = "unable to parse numeric part of quantity";

const BILLION: i128 = 1_000_000_000;
/// Powers of ten, and of 1024.
const DECIMAL: [(&str, i32); 10] = [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
const BINARY: [(&str, u32); 6] = [("Ki", 1), ("Mi", 2), ("Gi", 3), ("Ti", 4), ("Pi", 5), ("Ei", 6)];

/// The family of suffixes: a quantity keeps that in which it was written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Form {
    Decimal,
    Binary,
    Exponent,
}

/// An amount and how it is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Quantity {
    pub(crate) billionths: i128,
    form: Form,
    /// As it was written, where that is good enough for the real server.
    text: Option<String>,
}

impl Quantity {
    pub(crate) fn new(billionths: i128, form: Form) -> Self {
        Quantity { billionths, form, text: None }
    }

    /// Reads a text or a number; nothing for what is no quantity.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        Quantity::parse(&plain(value)).ok()
    }

    /// Reads a text, or says what is wrong with it in the real server's words.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let negative = text.starts_with('-');
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if text.is_empty() || fraction.contains('.') {
            return Err(MALFORMED);
        }
        let (form, power, factor) = unit(suffix)?;
        // No digits are none: the real server reads `Mi` as nothing.
        let digits: i128 = format!("0{whole}{fraction}").parse().map_err(|_| NUMBER)?;
        let scale = power - i32::try_from(fraction.len()).map_err(|_| NUMBER)?;
        let amount = digits.checked_mul(factor).and_then(|amount| shifted(amount, scale + 9)).ok_or(NUMBER)?;
        let significant = match whole.trim_start_matches('0') {
            "" => format!("0{fraction}"),
            whole => format!("{whole}{fraction}"),
        };
        let good = form != Form::Binary && scale % 3 == 0 && scale >= -9 && significant.len() <= 18;
        let kept = good && !significant.ends_with("000") && !significant.starts_with('0');
        let billionths = if negative { -amount } else { amount };
        Ok(Quantity { billionths, form, text: kept.then(|| text.to_owned()) })
    }

    /// In a list of resources nothing is finer than a thousandth.
    pub(crate) fn round_up(self) -> Self {
        match self.billionths.rem_euclid(1_000_000) {
            0 => self,
            rest => Quantity::new(self.billionths - rest + 1_000_000, self.form),
        }
    }

    pub(crate) fn as_f64(&self) -> f64 {
        self.billionths as f64 / BILLION as f64
    }
}

fn unit(suffix: &str) -> Result<(Form, i32, i128), &'static str> {
    if let Some((_, power)) = DECIMAL.iter().find(|(unit, _)| *unit == suffix) {
        return Ok((Form::Decimal, *power, 1));
    }
    if let Some((_, power)) = BINARY.iter().find(|(unit, _)| *unit == suffix) {
        return Ok((Form::Binary, 0, 1 << (10 * power)));
    }
    if let Some(power) = suffix.strip_prefix(['e', 'E']).and_then(|power| power.parse().ok()) {
        return Ok((Form::Exponent, power, 1));
    }
    let rest = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
    Err(if rest.bytes().all(|b| b.is_ascii_digit()) { SUFFIX } else { MALFORMED })
}

/// Times a power of ten; what is too small to be told is rounded up.
fn shifted(amount: i128, power: i32) -> Option<i128> {
    let factor = 10_i128.checked_pow(power.unsigned_abs());
    match (factor, power >= 0) {
        (Some(factor), true) => amount.checked_mul(factor),
        (None, true) => (amount == 0).then_some(0),
        (Some(factor), false) => Some(amount / factor + i128::from(amount % factor != 0)),
        (None, false) => Some(i128::from(amount != 0)),
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = &self.text {
            return f.write_str(text);
        }
        if self.billionths == 0 {
            return f.write_str("0");
        }
        let whole = self.billionths / BILLION;
        if self.form == Form::Binary && self.billionths % BILLION == 0 && whole.abs() >= 1024 {
            let (mut number, mut unit) = (whole, "");
            for (next, _) in BINARY.iter().take_while(|(_, power)| whole % (1 << (10 * power)) == 0) {
                (number, unit) = (number / 1024, next);
            }
            return write!(f, "{number}{unit}");
        }
        let (mut number, mut power) = (self.billionths, -9);
        while number % 1000 == 0 && (power < 18 || self.form == Form::Exponent) {
            (number, power) = (number / 1000, power + 3);
        }
        match DECIMAL.iter().find(|(_, p)| *p == power).filter(|_| self.form != Form::Exponent || power == 0) {
            Some((unit, _)) => write!(f, "{number}{unit}"),
            None => write!(f, "{number}e{power}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_amount_has_one_form_in_its_family() {
        for (said, written) in [
            ("0.5", "500m"),
            ("1.5", "1500m"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("1000m", "1"),
            ("1000", "1k"),
            ("1024", "1024"),
            ("20000", "20k"),
            ("1e3", "1e3"),
            ("12e2", "1200"),
            ("1000e3", "1e6"),
            ("0", "0"),
            ("0.0", "0"),
            ("0Mi", "0"),
            ("512Ki", "512Ki"),
            ("0.5Ki", "512"),
            ("0.1n", "1n"),
            ("1E", "1E"),
            ("-0.5", "-500m"),
            ("1.500", "1.500"),
            (".5", "500m"),
            ("1.", "1."),
            ("100", "100"),
            ("1.1Ki", "1126400m"),
            ("1536Ki", "1536Ki"),
        ] {
            assert_eq!(Quantity::parse(said).map(|q| q.to_string()).as_deref(), Ok(written), "{said}");
        }
        for (wrong, why) in [
            ("", MALFORMED),
            ("x", MALFORMED),
            ("1x", MALFORMED),
            ("1.2.3", MALFORMED),
            ("1 Gi", MALFORMED),
            ("--1", SUFFIX),
            ("1e", SUFFIX),
            ("1ii", SUFFIX),
        ] {
            assert_eq!(Quantity::parse(wrong), Err(why), "{wrong}");
        }
        assert_eq!(Quantity::parse("100u").map(|q| q.round_up().to_string()).as_deref(), Ok("1m"));
    }
}
