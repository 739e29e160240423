//! Times as the API server writes them.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// Exactly six decimals, and `Z` or an offset: given back as `Z`.
pub(super) fn micro_time(time: &str) -> Option<Value> {
    let digits = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let shape: String = time.chars().map(digits).collect();
    match shape.strip_prefix("0000-00-00T00:00:00.000000")? {
        "Z" => Some(json!(time)),
        "+00:00" | "-00:00" => Some(json!(date(time, "+%Y-%m-%dT%H:%M:%S.%6NZ"))),
        _ => None,
    }
}

/// Whole seconds.
pub(super) fn seconds() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    date(&format!("@{now}"), "+%Y-%m-%dT%H:%M:%SZ")
}

/// A time in another form.
fn date(time: &str, form: &str) -> String {
    let output = std::process::Command::new("date")
        .args(["-u", "-d", time, form])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
