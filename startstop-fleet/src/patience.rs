//! How long an answer of the store is waited for, and a store that is away.

use std::future::Future;
use std::time::Duration;

use crate::store::StoreError;

/// A call that takes longer is given up; it may take effect nevertheless.
pub(crate) async fn limited<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let late = |_| {
        Err(StoreError::unavailable(format!(
            "no answer within {limit:?}"
        )))
    };
    tokio::time::timeout(limit, call).await.unwrap_or_else(late)
}

/// Between so much of a pause and all of it, so that not all who wait come back at once.
pub(crate) fn spread(pause: Duration, least: f64) -> Duration {
    pause.mul_f64(least + fastrand::f64() * (1.0 - least))
}
