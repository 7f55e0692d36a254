//! Words of answers, which may be newer than who reads them.

use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IntoDeserializer, value},
};

/// A word of an answer: one that this program knows, or one of a newer server, kept as it came.
///
/// Only for answers. A request's unknown word is refused: the server can't do what it does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Word<T> {
    /// One of those that there were when this was built.
    Known(T),
    /// Another.
    Other(String),
}

impl<T> Word<T> {
    /// The word, where it is known.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(word) => Some(word),
            Self::Other(_) => None,
        }
    }
}

impl<T: DeserializeOwned> Word<T> {
    /// The word that is written so.
    pub fn of(text: &str) -> Self {
        let text: value::StrDeserializer<'_, value::Error> = text.into_deserializer();
        T::deserialize(text).map_or_else(|_| Self::Other(String::deserialize(text).unwrap_or_default()), Self::Known)
    }
}

impl<T> From<T> for Word<T> {
    fn from(word: T) -> Self {
        Self::Known(word)
    }
}

impl<T: PartialEq> PartialEq<T> for Word<T> {
    fn eq(&self, word: &T) -> bool {
        self.known() == Some(word)
    }
}
