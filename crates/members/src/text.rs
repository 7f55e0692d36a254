//! Texts from a member, which may say anything at any length.

/// Longest text that is kept, in bytes.
const TEXT_MAX: usize = 512;

/// A text from the member, fit to be stored and shown: of bounded length, without control characters (PostgreSQL
/// refuses NUL, and a terminal would obey the others).
pub(crate) fn bounded(text: Option<String>) -> String {
    let mut text = text.unwrap_or_default();
    text.retain(|c| !c.is_control() || matches!(c, '\n' | '\t'));
    if text.len() > TEXT_MAX {
        let end = (0..=TEXT_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text.shrink_to_fit();
    text
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
}
