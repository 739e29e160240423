//! The claim of a process that wants a lease.

use std::sync::Arc;
use std::time::Duration;

use crate::record::Record;

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
