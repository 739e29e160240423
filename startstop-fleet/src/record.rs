//! `Record`: what a store knows of one lease, and `Version`, by which a change of it is recognised.

use std::sync::Arc;
use std::time::Duration;

use crate::timing::LONGEST;

/// Which state of a record somebody has seen. A store compares it before it writes.
///
/// It is equal to another one only if the record has not been written between the two.
///
/// # Examples
///
/// ```
/// use startstop_fleet::Version;
///
/// assert_eq!(Version::from(7), Version::from(7));
/// assert_ne!(Version::from("a/1".to_owned()), Version::absent());
/// assert_eq!(Version::from(7).number(), Some(7));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(RecordKind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum RecordKind {
    Absent,
    Number(u64),
    Text(Arc<str>),
}

impl Version {
    /// Returns the version of a record that does not exist.
    #[must_use]
    pub fn absent() -> Self {
        Self(RecordKind::Absent)
    }

    /// Tells whether the record did not exist.
    pub fn is_absent(&self) -> bool {
        self.0 == RecordKind::Absent
    }

    /// Returns the number that the version was made from.
    pub fn number(&self) -> Option<u64> {
        match self.0 {
            RecordKind::Number(number) => Some(number),
            RecordKind::Absent | RecordKind::Text(_) => None,
        }
    }

    /// Returns the text that the version was made from.
    pub fn text(&self) -> Option<&str> {
        match &self.0 {
            RecordKind::Text(text) => Some(text),
            RecordKind::Absent | RecordKind::Number(_) => None,
        }
    }
}

impl From<u64> for Version {
    fn from(number: u64) -> Self {
        Self(RecordKind::Number(number))
    }
}

impl From<String> for Version {
    fn from(text: String) -> Self {
        Self(RecordKind::Text(text.into()))
    }
}

/// The state of one lease, as a store knows it.
///
/// # Examples
///
/// ```
/// use startstop_fleet::{Record, Version};
/// use std::time::Duration;
///
/// let record = Record::held("host-1/77", 3, Version::from(9)).lasting(Duration::from_secs(15));
/// assert_eq!(record.holder(), Some("host-1/77"));
/// assert_eq!(record.fence(), 3);
/// assert!(!record.is_free());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    holder: Option<Arc<str>>,
    fence: u64,
    version: Version,
    lease: Option<Duration>,
    /// When its holder says it wrote it, by a wall clock: only a broken rule reads it.
    #[cfg(test)]
    pub(crate) stamp: Duration,
}

impl Record {
    /// Describes a lease that nobody holds.
    #[must_use]
    pub fn free(version: Version) -> Self {
        Self::new(None, 0, version)
    }

    /// Describes a lease that `holder` holds with `fence`. Without [`lasting`](Self::lasting) it is the store that ends it.
    #[must_use]
    pub fn held(holder: impl Into<Arc<str>>, fence: u64, version: Version) -> Self {
        Self::new(Some(holder.into()), fence, version)
    }

    fn new(holder: Option<Arc<str>>, fence: u64, version: Version) -> Self {
        Self {
            holder,
            fence,
            version,
            lease: None,
            #[cfg(test)]
            stamp: Duration::ZERO,
        }
    }

    /// Sets how long the record has to stay unchanged until its lease is over. Zero stands for a record that does not say so, as
    /// one that was written by hand: then those who follow go by their own lease, as they do where it is longer than a year.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_fleet::{Record, Version};
    /// use std::time::Duration;
    ///
    /// let by_hand = Record::held("ops", 3, Version::from(9)).lasting(Duration::ZERO);
    /// assert_eq!(by_hand.lease(), Some(Duration::ZERO));
    /// ```
    #[must_use]
    pub fn lasting(mut self, lease: impl Into<Option<Duration>>) -> Self {
        self.lease = lease.into();
        self
    }

    /// Returns the same record in another version, as a renewal leaves it.
    #[must_use]
    pub fn at_version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// Returns who holds the lease: the identity of a leader, made anew by each run of one.
    pub fn holder(&self) -> Option<&str> {
        self.holder.as_deref()
    }

    /// Returns the fence of the term; 0 if nobody holds the lease.
    pub fn fence(&self) -> u64 {
        self.fence
    }

    /// Returns which state of the record this is.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// Returns how long the record has to stay unchanged until its lease is over, or `None` if the store itself
    /// ends the lease.
    pub fn lease(&self) -> Option<Duration> {
        self.lease
    }

    /// Returns how long it has to stay unchanged for who has a lease of `own`, or `None` if the store itself ends the lease. No
    /// leader has one that is longer than a year: that is as good as none.
    pub(crate) fn lasts(&self, own: Duration) -> Option<Duration> {
        let is_said = |lease: Duration| !lease.is_zero() && lease <= LONGEST;
        self.lease
            .map(|lease| if is_said(lease) { lease } else { own })
    }

    /// Tells whether nobody holds the lease.
    pub fn is_free(&self) -> bool {
        self.holder.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, LONGEST, Record, Version};

    #[test]
    fn a_lease_that_nobody_can_have_meant_is_that_of_who_follows() {
        let own = Duration::from_secs(15);
        let lasts = |lease: Option<Duration>| {
            let record = Record::held("ops", 3, Version::from(9)).lasting(lease);
            record.lasts(own)
        };
        assert_eq!(lasts(None), None);
        assert_eq!(lasts(Some(LONGEST)), Some(LONGEST));
        for lease in [
            Duration::ZERO,
            LONGEST + Duration::from_nanos(1),
            Duration::MAX,
        ] {
            assert_eq!(lasts(Some(lease)), Some(own));
        }
    }
}
