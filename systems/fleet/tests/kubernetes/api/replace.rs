//! The rules by which an object replaces another: names, uids and versions have to agree.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::failure::{details, failure};
use super::{Answer, Dry, Table};

pub(super) fn replace(table: &mut Table, name: &str, mut lease: Value, dry: Dry) -> Answer {
    if lease["metadata"]["name"] != json!(name) {
        let message = "the name of the object does not match the name on the URL";
        return Err(failure(400, "BadRequest", message, Value::Null));
    }
    let conflict = |why: &str| {
        let message = format!(
            "Operation cannot be fulfilled on leases.coordination.k8s.io \"{name}\": {why}"
        );
        failure(409, "Conflict", message, details(name))
    };
    let (uid, version) = (
        &lease["metadata"]["uid"],
        &lease["metadata"]["resourceVersion"],
    );
    let Some(old) = table.leases.get(name).cloned() else {
        if uid.is_string() && !table.is_careless {
            return Err(conflict("Precondition failed: UID in precondition"));
        }
        if !version.is_string() {
            return Err(failure(
                422,
                "Invalid",
                "must be specified for an update",
                details(name),
            ));
        }
        // It is made again.
        return Ok((StatusCode::CREATED, table.make(name, lease, dry)));
    };
    if !version.is_string() {
        let message =
            "metadata.resourceVersion: Invalid value: 0x0: must be specified for an update";
        return Err(failure(422, "Invalid", message, details(name)));
    }
    if uid.is_string() && *uid != old["metadata"]["uid"] {
        return Err(conflict("Precondition failed: UID in precondition"));
    }
    if *version != old["metadata"]["resourceVersion"] {
        return Err(conflict("the object has been modified"));
    }
    for key in ["uid", "creationTimestamp", "namespace"] {
        lease["metadata"][key] = old["metadata"][key].clone();
    }
    if lease == old {
        return Ok((StatusCode::OK, old)); // no change: no version, no event
    }
    match dry {
        Dry::Run => Ok((StatusCode::OK, lease)),
        Dry::No => Ok((StatusCode::OK, table.put(name, lease, "MODIFIED"))),
    }
}

/// RFC 7386.
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Some(fields) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in fields {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(key);
        } else {
            merge(&mut target[key], value);
        }
    }
}
