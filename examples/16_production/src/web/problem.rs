//! The answer to a customer when something goes wrong.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use redis::RedisError;

/// Why a request was not done.
#[derive(Debug)]
pub(super) enum Problem {
    /// A server is not there; the readiness of the program tells so too.
    Away(&'static str),
    Database(sqlx::Error),
    Cache(RedisError),
    NoSuchOrder,
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<RedisError> for Problem {
    fn from(error: RedisError) -> Self {
        Self::Cache(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let unavailable = StatusCode::SERVICE_UNAVAILABLE;
        match self {
            Self::Away(what) => (unavailable, format!("{what} is away\n")).into_response(),
            Self::NoSuchOrder => (StatusCode::NOT_FOUND, "no such order\n").into_response(),
            Self::Database(error) => told(unavailable, &error),
            Self::Cache(error) => told(unavailable, &error),
        }
    }
}

/// The log knows more than the customer.
fn told(status: StatusCode, error: &(dyn std::error::Error + 'static)) -> Response {
    tracing::warn!(error, "a request failed");
    (status, "try again later\n").into_response()
}
