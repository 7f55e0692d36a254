//! Random words, for names that nobody chooses.

use rand::{Rng, distr::Alphanumeric};

/// Lower-case letters and digits, fit for a DNS label.
pub(crate) fn random_word(length: usize) -> String {
    rand::rng().sample_iter(Alphanumeric).map(|c| char::from(c).to_ascii_lowercase()).take(length).collect()
}
