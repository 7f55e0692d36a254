use serde_json::Value;
use crate::status::{Answer, Refusal};
pub(crate) fn decode(_: &[u8]) -> Answer<Value> {
    Err(Refusal::new(415, "UnsupportedMediaType", "protobuf"))
}
