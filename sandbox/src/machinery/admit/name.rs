//! What may be a name. The rules and the texts are the real server's; which kind follows which rule is below.

use crate::machinery::registry::Kind;
use crate::machinery::status::Cause;

pub(crate) const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
pub(crate) const QUALIFIED: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
pub(crate) const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

pub(super) fn check(kind: &Kind, name: &str) -> Vec<Cause> {
    let (fine, longest, rule) = match (kind.group.as_str(), kind.plural.as_str()) {
        ("rbac.authorization.k8s.io", _) => return path_segment(name),
        ("", "services") => (is_label(name), 63, LABEL),
        ("", "namespaces") => (is_label(name), 63, LABEL),
        _ => (name.split('.').all(is_label), 253, SUBDOMAIN),
    };
    let mut causes = Vec::new();
    if name.len() > longest {
        causes.push(Cause::invalid("metadata.name", name, &format!("must be no more than {longest} characters")));
    }
    if longest == 63 && rule == LABEL && name.contains('.') {
        causes.push(Cause::invalid("metadata.name", name, "must not contain dots"));
    } else if !fine {
        causes.push(Cause::invalid("metadata.name", name, rule));
    }
    causes
}

fn path_segment(name: &str) -> Vec<Cause> {
    let why = match name {
        "." => "may not be '.'".to_owned(),
        ".." => "may not be '..'".to_owned(),
        _ => match name.chars().find(|c| matches!(c, '/' | '%')) {
            Some(wrong) => format!("may not contain '{wrong}'"),
            None => return vec![],
        },
    };
    vec![Cause::invalid("metadata.name", name, &why)]
}

pub(crate) fn is_subdomain(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_label)
}

/// A label that begins with a letter, as those of RFC 1035 do.
pub(crate) fn is_word_label(name: &str) -> bool {
    name.len() <= 63 && is_label(name) && name.starts_with(|c: char| c.is_ascii_lowercase())
}

/// A DNS-1123 label, whatever its length.
pub(super) fn is_label(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.chars().all(inner) && !name.starts_with('-') && !name.ends_with('-')
}

pub(crate) fn is_label_value(value: &str) -> bool {
    value.is_empty() || is_word(value)
}

fn is_word(word: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    word.len() <= 63 && edge(word.chars().next()) && edge(word.chars().last()) && word.chars().all(inner)
}

/// A label or annotation key: a word, with or without a DNS prefix.
pub(crate) fn is_qualified(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, word)) => prefix.len() <= 253 && prefix.split('.').all(is_label) && is_word(word),
        None => is_word(key),
    }
}
