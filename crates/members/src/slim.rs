//! An object of which only the parts that we use are parsed.
//!
//! Watches deliver thousands of objects with long specs; serde skips what has no field here, so neither parsing nor
//! memory pays for it. `managedFields` are parsed with the metadata and dropped with it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny},
};

#[derive(Debug, Clone, Deserialize)]
#[serde(bound(deserialize = "S: Deserialize<'de> + Default, T: Deserialize<'de> + Default"))]
pub(crate) struct Slim<S, T> {
    pub(crate) metadata: ObjectMeta,
    #[serde(default)]
    pub(crate) spec: S,
    #[serde(default)]
    pub(crate) status: T,
}

/// A part that is skipped.
#[derive(Debug, Clone, Default)]
pub(crate) struct Skipped;

impl<'de> Deserialize<'de> for Skipped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// Whatever has metadata.
pub(crate) trait Object: DeserializeOwned + Send + 'static {
    fn meta(&self) -> &ObjectMeta;
}

impl<S, T> Object for Slim<S, T>
where
    S: DeserializeOwned + Default + Send + 'static,
    T: DeserializeOwned + Default + Send + 'static,
{
    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }
}
