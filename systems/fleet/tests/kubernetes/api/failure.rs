//! Answers that say no, as an object of the kind `Status`.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

pub(crate) struct Failure {
    code: u16,
    reason: &'static str,
    message: String,
    details: Value,
}

pub(super) fn failure(
    code: u16,
    reason: &'static str,
    message: impl Into<String>,
    details: Value,
) -> Box<Failure> {
    Box::new(Failure {
        code,
        reason,
        message: message.into(),
        details,
    })
}

pub(super) fn details(name: &str) -> Value {
    json!({ "name": name, "group": "coordination.k8s.io", "kind": "leases" })
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let code = StatusCode::from_u16(self.code).unwrap();
        (code, axum::Json(status(&self))).into_response()
    }
}

pub(super) fn status(failure: &Failure) -> Value {
    let mut status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": failure.message, "reason": failure.reason, "code": failure.code,
    });
    if !failure.details.is_null() {
        status["details"] = failure.details.clone();
    }
    status
}
