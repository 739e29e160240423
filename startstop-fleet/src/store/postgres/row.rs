//! A row of the table as a record.

use std::time::Duration;

use tokio_postgres::Row;

use crate::record::{Record, Version};
use crate::store::StoreError;

pub(super) fn record(row: &Row) -> Result<Record, StoreError> {
    let get = |name| -> Result<Option<i64>, StoreError> {
        row.try_get(name).map_err(StoreError::unavailable)
    };
    if row.try_get("standby").map_err(StoreError::unavailable)? {
        return Err(StoreError::unavailable(
            "the server is a standby, which may be behind",
        ));
    }
    let Some(version) = get("version")? else {
        return Ok(Record::free(Version::absent()));
    };
    let version = Version::from(unsigned(version));
    let holder: Option<&str> = row.try_get("holder").map_err(StoreError::unavailable)?;
    Ok(match holder {
        None | Some("") => Record::free(version),
        Some(holder) => {
            let lease = Duration::from_millis(unsigned(get("lease_ms")?.unwrap_or_default()));
            let fence = unsigned(get("fence")?.unwrap_or_default());
            Record::held(holder, fence, version).lasting(lease)
        }
    })
}

/// A sequence begins with one.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

pub(super) fn signed(version: &Version) -> i64 {
    version
        .number()
        .and_then(|number| i64::try_from(number).ok())
        .unwrap_or(-1)
}
