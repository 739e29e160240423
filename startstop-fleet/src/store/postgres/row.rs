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
    let version = version_of(version);
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

/// A sequence begins with one. What is less was written by hand.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// Returns the version of a row, also of one that was written by hand with a number that no sequence gives: it has to be compared
/// with what is there.
pub(super) fn version_of(number: i64) -> Version {
    match u64::try_from(number) {
        Ok(number) => Version::from(number),
        Err(_) => Version::from(number.to_string()),
    }
}

/// Returns the number in a row of this version, or nothing if there is no row: less than each number, and equal to none.
pub(super) fn signed(version: &Version) -> Option<i64> {
    match version.number() {
        Some(number) => i64::try_from(number).ok(),
        None => version.text()?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Version, signed, version_of};

    #[test]
    fn any_number_in_a_row_comes_back_from_its_version() {
        let numbers = [i64::MIN, -1, 0, 1, i64::MAX];
        let versions = numbers.map(version_of);
        assert_eq!(versions.each_ref().map(signed), numbers.map(Some));
        assert!(
            versions
                .windows(2)
                .all(|two| signed(&two[0]) < signed(&two[1]))
        );
        assert_eq!(signed(&Version::absent()), None);
        assert!(signed(&Version::absent()) < signed(&versions[0]));
    }
}
