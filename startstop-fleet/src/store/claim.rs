//! The claim of a process that wants a lease.

use std::sync::Arc;
use std::time::Duration;

use crate::record::Record;

/// Returns a lease in whole units, as a store counts them. It is rounded up: whoever goes by less takes it while it is in force.
#[cfg(any(unix, feature = "etcd", feature = "kubernetes", feature = "postgres"))]
pub(super) fn whole(lease: Duration, unit: Duration) -> u64 {
    u64::try_from(lease.as_nanos().div_ceil(unit.as_nanos())).unwrap_or(u64::MAX)
}

/// A claim of a lease: its holder, and how long it is to last.
///
/// # Examples
///
/// ```
/// use startstop_fleet::Claim;
/// use std::time::Duration;
///
/// let claim = Claim::new("host-1/77", Duration::from_secs(15));
/// assert_eq!(claim.holder(), "host-1/77");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    holder: Arc<str>,
    lease: Option<Duration>,
    beside: Option<Record>,
}

impl Claim {
    /// Makes the claim of `holder` to a lease of this length.
    #[must_use]
    pub fn new(holder: impl Into<Arc<str>>, lease: Duration) -> Self {
        Self {
            holder: holder.into(),
            lease: Some(lease),
            beside: None,
        }
    }

    /// Makes a claim that is in force for as long as another record of the same process, `held`, is: it is never renewed. A store that
    /// ends leases by itself ends both together; elsewhere the record stays until it is released or taken.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_fleet::{Claim, Record, Version};
    ///
    /// let member = Record::held("host-1/77", 3, Version::from(9));
    /// let claim = Claim::beside("host-1/77", &member);
    /// assert_eq!(claim.lease(), None);
    /// ```
    #[must_use]
    pub fn beside(holder: impl Into<Arc<str>>, held: &Record) -> Self {
        Self {
            holder: holder.into(),
            lease: None,
            beside: Some(held.clone()),
        }
    }

    /// Returns who wants the lease.
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// Returns how long it is to last after each renewal, if it is renewed.
    pub fn lease(&self) -> Option<Duration> {
        self.lease
    }

    /// Returns the record that it is in force with, if it is not renewed.
    pub fn held_beside(&self) -> Option<&Record> {
        self.beside.as_ref()
    }
}

#[cfg(all(
    test,
    any(unix, feature = "etcd", feature = "kubernetes", feature = "postgres")
))]
mod tests {
    use std::time::Duration;

    use super::whole;

    #[test]
    fn a_lease_is_never_shorter_in_whole_units() {
        let second = Duration::from_secs(1);
        let millis = [0, 1, 1_000, 1_001].map(Duration::from_millis);
        assert_eq!(millis.map(|lease| whole(lease, second)), [0, 1, 1, 2]);
        assert_eq!(whole(Duration::from_nanos(1), second / 1000), 1);
        assert_eq!(whole(Duration::MAX, Duration::from_nanos(1)), u64::MAX);
    }
}
