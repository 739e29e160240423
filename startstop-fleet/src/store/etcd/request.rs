//! The JSON of the gateway: keys in base64, numbers as text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::store::StoreError;

pub(super) fn encode(text: &str) -> String {
    STANDARD.encode(text)
}

pub(super) fn decode(value: &Value) -> Result<String, StoreError> {
    let text = value.as_str().unwrap_or_default();
    let bytes = STANDARD.decode(text).map_err(StoreError::unavailable)?;
    // Somebody else may have written what is no text.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A number that is left out is zero.
pub(super) fn number(value: &Value) -> Result<u64, StoreError> {
    match value {
        Value::Null => Ok(0),
        Value::String(text) => text.parse().map_err(StoreError::unavailable),
        other => other
            .as_u64()
            .ok_or_else(|| StoreError::unavailable(format!("no number: {other}"))),
    }
}

/// The number of a lease: whoever grants one chooses it, and it may be negative.
pub(super) fn signed(value: &Value) -> Result<i64, StoreError> {
    match value {
        Value::Null => Ok(0),
        Value::String(text) => text.parse().map_err(StoreError::unavailable),
        other => other
            .as_i64()
            .ok_or_else(|| StoreError::unavailable(format!("no number: {other}"))),
    }
}

/// Returns the keys that begin with a text: up to the first one that does not.
pub(super) fn range(prefix: &str) -> (String, String) {
    let mut end = prefix.as_bytes().to_vec();
    while end.last() == Some(&u8::MAX) {
        end.pop();
    }
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    (encode(prefix), STANDARD.encode(end))
}

pub(super) fn absent(key: &str) -> Value {
    created(key, 0)
}

pub(super) fn created(key: &str, revision: u64) -> Value {
    let revision = revision.to_string();
    json!({ "key": key, "target": "CREATE", "result": "EQUAL", "create_revision": revision })
}

pub(super) fn modified(key: &str, revision: u64) -> Value {
    let revision = revision.to_string();
    json!({ "key": key, "target": "MOD", "result": "EQUAL", "mod_revision": revision })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{decode, encode, number, range, signed};

    #[test]
    fn a_range_ends_behind_its_prefix() {
        assert_eq!(range("a/"), (encode("a/"), encode("a0")));
    }

    #[test]
    fn numbers_are_text_or_left_out() {
        assert_eq!(number(&json!("7")).unwrap(), 7);
        assert_eq!(number(&json!(null)).unwrap(), 0);
        assert!(number(&json!("x")).is_err());
        assert_eq!(signed(&json!("-7")).unwrap(), -7);
        assert_eq!(signed(&json!(null)).unwrap(), 0);
        assert_eq!(decode(&json!(encode("ä"))).unwrap(), "ä");
        assert_eq!(decode(&json!("//4=")).unwrap(), "\u{fffd}\u{fffd}");
    }
}
