//! The checks before a request is carried out: the rights of its token, its namespace, and its body.

use axum::body::Bytes;
use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::NAMESPACE;
use super::failure::{Failure, details, failure};
use super::time::micro_time;

/// The verbs that a token may use.
const TOKENS: [(&str, &[&str]); 7] = [
    // The role of the docs.
    ("all", &["get", "list", "watch", "create", "update"]),
    (
        "shards",
        &["get", "list", "watch", "create", "update", "delete"],
    ),
    ("unlisted", &["get", "watch", "create", "update"]),
    ("patcher", &["get", "create", "patch"]),
    ("reader", &["get", "list", "watch"]),
    ("silent", &["get", "list", "create", "update"]),
    ("nobody", &[]),
];

pub(super) fn allowed(headers: &HeaderMap, verb: &str) -> Result<(), Box<Failure>> {
    let header = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok());
    let forbidden = |user: &str| {
        let message = format!(
            "leases.coordination.k8s.io is forbidden: User \"{user}\" cannot {verb} resource \"leases\" in API group \
             \"coordination.k8s.io\" in the namespace \"{NAMESPACE}\""
        );
        failure(403, "Forbidden", message, details(""))
    };
    let Some(token) = header.and_then(|value| value.strip_prefix("Bearer ")) else {
        return Err(forbidden("system:anonymous"));
    };
    let known = TOKENS.iter().find(|(known, _)| *known == token);
    let Some((user, verbs)) = known else {
        return Err(failure(401, "Unauthorized", "Unauthorized", Value::Null));
    };
    if verbs.contains(&verb) {
        Ok(())
    } else {
        Err(forbidden(user))
    }
}

pub(super) fn namespace(name: &str) -> Result<(), Box<Failure>> {
    if name == NAMESPACE {
        return Ok(());
    }
    let details = json!({ "name": name, "kind": "namespaces" });
    Err(failure(
        404,
        "NotFound",
        format!("namespaces \"{name}\" not found"),
        details,
    ))
}

pub(super) fn missing(name: &str) -> Box<Failure> {
    let message = format!("leases.coordination.k8s.io \"{name}\" not found");
    failure(404, "NotFound", message, details(name))
}

/// Drops what is not known, and checks the rest.
pub(super) fn valid(body: &Bytes) -> Result<Value, Box<Failure>> {
    let bad = |message: String| failure(400, "BadRequest", message, Value::Null);
    let lease: Value = serde_json::from_slice(body).map_err(|error| bad(error.to_string()))?;
    let name = lease["metadata"]["name"].as_str().unwrap_or_default();
    let invalid = |message: &str| {
        let message = format!("Lease.coordination.k8s.io \"{name}\" is invalid: {message}");
        failure(422, "Invalid", message, details(name))
    };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if name.is_empty() || !name.chars().all(|c| plain(c) || "-.".contains(c)) {
        return Err(invalid("metadata.name"));
    }
    let mut spec = json!({});
    let fields = lease["spec"].as_object().cloned().unwrap_or_default();
    for (key, mut value) in fields.into_iter().filter(|(_, value)| !value.is_null()) {
        match key.as_str() {
            "acquireTime" | "renewTime" => {
                let time = value.as_str().unwrap_or_default();
                let time = micro_time(time);
                value = time.ok_or_else(|| bad(format!("parsing time {value}")))?;
            }
            "leaseDurationSeconds" | "leaseTransitions" => {
                let number = value
                    .as_i64()
                    .filter(|number| i32::try_from(*number).is_ok());
                let number = number.ok_or_else(|| bad(format!("{key}: {value}")))?;
                let least = i64::from(key == "leaseDurationSeconds");
                if number < least {
                    return Err(invalid(&format!("spec.{key}: must be greater")));
                }
            }
            "holderIdentity" => {}
            _ => continue,
        }
        spec[key] = value;
    }
    Ok(json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": lease["metadata"].clone(), "spec": spec,
    }))
}
