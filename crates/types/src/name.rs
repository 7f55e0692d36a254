//! Names that end up in Kubernetes and in the database, checked once, where they enter.

use std::fmt;

use serde::Serialize;

/// Longest cluster name: 63 characters of a namespace minus room for `-<6 random>-ns` and `-instance-<n>`.
pub const CLUSTER_NAME_MAX: usize = 48;
/// What a cluster's name looks like, as a regular expression. Which of them may be taken is a rule, and `app`'s.
pub const CLUSTER_NAME_PATTERN: &str = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$";
/// What the member is called that the control plane was started with.
pub const LOCAL_MEMBER: &str = "local";
/// Longest user name.
pub const USERNAME_MAX: usize = 64;
/// What a user's name looks like, as a regular expression.
pub const USERNAME_PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9._@-]*$";

/// A tenant's name for a cluster: a DNS-1123 label ([`CLUSTER_NAME_PATTERN`]) of at most [`CLUSTER_NAME_MAX`] characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ClusterName(String);

impl ClusterName {
    /// Checks `name`; the error is a sentence for the person who sent it.
    pub fn parse(name: &str) -> Result<Self, String> {
        if name.is_empty() {
            return Err("must not be empty".into());
        }
        if name.len() > CLUSTER_NAME_MAX {
            return Err(format!("must be at most {CLUSTER_NAME_MAX} characters, has {}", name.len()));
        }
        if !is_dns_label(name) {
            return Err("must consist of lower-case letters, digits and '-', and start and end with a letter or digit".into());
        }
        Ok(Self(name.to_owned()))
    }

    /// A name that was checked when it was stored. Rules change between releases; what they would refuse today must still be
    /// readable, or its cluster could not even be deleted.
    pub fn stored(name: String) -> Self {
        Self(name)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `<cluster>-ns`, the namespace's name where it is free.
    pub fn namespace(&self) -> String {
        format!("{}-ns", self.0)
    }

    /// `<cluster>-<suffix>-ns`, where the plain name is taken.
    pub fn namespace_with(&self, suffix: &str) -> String {
        format!("{}-{suffix}-ns", self.0)
    }

    /// `<cluster>-instance-<ordinal>`, ordinals counting from 1.
    pub fn instance(&self, ordinal: i32) -> String {
        format!("{}-instance-{ordinal}", self.0)
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A unique user name: [`USERNAME_PATTERN`], at most [`USERNAME_MAX`] characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Username(String);

impl Username {
    /// Checks `name`; the error is a sentence for the person who sent it.
    pub fn parse(name: &str) -> Result<Self, String> {
        if name.is_empty() || name.len() > USERNAME_MAX {
            return Err(format!("must have 1 to {USERNAME_MAX} characters"));
        }
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !starts_well || !name.chars().all(|c| c.is_ascii_alphanumeric() || "._-@".contains(c)) {
            return Err("must start with a letter or digit and consist of letters, digits, '.', '_', '-' and '@'".into());
        }
        Ok(Self(name.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `text` is a DNS-1123 label (without the length limit).
pub fn is_dns_label(text: &str) -> bool {
    let inside = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let edge = |c: Option<&u8>| c.is_some_and(|c| *c != b'-');
    let bytes = text.as_bytes();
    bytes.iter().all(|c| inside(*c)) && edge(bytes.first()) && edge(bytes.last())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    proptest! {
        #[test]
        fn names_are_what_their_patterns_say(text in "[aZ0._@ü\\n-]{0,6}") {
            let says = |pattern: &str| Regex::new(pattern).expect("a pattern").is_match(&text);
            prop_assert_eq!(ClusterName::parse(&text).is_ok(), says(CLUSTER_NAME_PATTERN));
            prop_assert_eq!(Username::parse(&text).is_ok(), says(USERNAME_PATTERN));
        }
    }

    #[test]
    fn cluster_names_that_kubernetes_would_refuse_are_refused_first() {
        for bad in ["", "-a", "a-", "A", "a_b", "a.b", "ü", &"a".repeat(49), "a b", "a\n"] {
            assert!(ClusterName::parse(bad).is_err(), "{bad:?}");
        }
        for good in ["a", "0", "my-cluster", "a--b", &"a".repeat(48)] {
            assert!(ClusterName::parse(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn a_stored_name_is_read_whatever_the_rules_have_become() {
        for name in ["kube-old", "Upper", &"a".repeat(60)] {
            assert_eq!(ClusterName::stored(name.to_owned()).as_str(), name);
        }
    }

    #[test]
    fn the_longest_names_fit_kubernetes_limits() {
        let longest = ClusterName::parse(&"a".repeat(CLUSTER_NAME_MAX)).expect("valid");
        assert!(longest.namespace_with("abcdef").len() <= 63);
        assert!(longest.instance(10_000).len() <= 63);
    }

    #[test]
    fn usernames_are_plain() {
        for bad in ["", " a", "a b", "-a", "a/b", "a\0", &"a".repeat(65)] {
            assert!(Username::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Username::parse("john_doe@example.com").is_ok());
    }
}
