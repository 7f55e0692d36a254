//! What a member says, brought within bounds: it may say anything at any length.
//!
//! Everything that is kept, stored or shown goes through here where it comes in. Control characters go (PostgreSQL
//! refuses NUL, and a terminal would obey the others); numbers stay where arithmetic with them is safe.

/// Longest sentence that is kept, in bytes.
const TEXT_MAX: usize = 512;
/// Longest name that Kubernetes allows: of an object, a node, a label.
const NAME_MAX: usize = 253;
/// The end of the year 9999, in seconds since 1970.
const TIME_MAX: i64 = 253_402_300_799;

/// A sentence from the member, fit to be stored and shown.
pub(crate) fn bounded(text: Option<String>) -> String {
    let mut text = text.unwrap_or_default();
    text.retain(|c| !c.is_control() || matches!(c, '\n' | '\t'));
    if cut(&mut text, TEXT_MAX) {
        text.push('…');
    }
    text.shrink_to_fit();
    text
}

/// A name from the member: of an object, a node, an address. What is longer than any name can be is cut, and then
/// names nothing.
pub(crate) fn name(text: Option<String>) -> String {
    let mut text = text.unwrap_or_default();
    text.retain(|c| !c.is_control());
    cut(&mut text, NAME_MAX);
    text.shrink_to_fit();
    text
}

/// The same of a name that may be missing.
pub(crate) fn name_or_none(text: Option<String>) -> Option<String> {
    Some(name(text)).filter(|name| !name.is_empty())
}

/// Seconds since 1970, between then and the year 9999.
pub(crate) fn seconds(seconds: i64) -> i64 {
    seconds.clamp(0, TIME_MAX)
}

/// Returns whether something went.
fn cut(text: &mut String, most: usize) -> bool {
    if text.len() <= most {
        return false;
    }
    let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.truncate(end);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_from_a_member_are_fit_to_be_stored() {
        assert_eq!(bounded(None), "");
        assert_eq!(bounded(Some("a\0b\u{1b}[31mc\r\n\td\u{85}é".into())), "ab[31mc\n\tdé");
        let long = bounded(Some("é".repeat(TEXT_MAX)));
        assert!(long.len() <= TEXT_MAX + '…'.len_utf8() && long.ends_with("é…"), "{long}");
    }

    #[test]
    fn names_and_times_from_a_member_are_bounded() {
        assert_eq!(name(Some("10.0.0.1\0\n".into())), "10.0.0.1");
        assert_eq!((name_or_none(None), name_or_none(Some("\0".into()))), (None, None));
        assert_eq!(name(Some("é".repeat(300))).len(), NAME_MAX - 1);
        assert_eq!([seconds(i64::MIN), seconds(7), seconds(i64::MAX)], [0, 7, TIME_MAX]);
    }
}
