//! `LeaseStore`: where replicas meet. A store reads, compares and sets; it decides nothing.

#[cfg(unix)]
mod dir;
#[cfg(feature = "etcd")]
mod etcd;
#[cfg(any(feature = "etcd", feature = "kubernetes"))]
mod kept;
#[cfg(feature = "kubernetes")]
mod kubernetes;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use startstop_core::BoxError;
use thiserror::Error;

#[cfg(unix)]
pub use dir::Dir;
#[cfg(feature = "etcd")]
pub use etcd::Etcd;
#[cfg(feature = "kubernetes")]
pub use kubernetes::Kubernetes;
pub use memory::Memory;
#[cfg(feature = "postgres")]
pub use postgres::Postgres;

use crate::record::{Record, Version};

/// A place that keeps records of leases, each under a name, and changes one only if it is as the caller has
/// seen it.
///
/// Check one of your own with the [conformance](crate::conformance) suite. Every method may be dropped at
/// any await point, and may take effect nevertheless, later too: the election expects that.
///
/// A fence that [`take`](Self::take) gives is greater than all that it gave for that name before, whatever became
/// of the record meanwhile, and at most `i64::MAX`.
pub trait LeaseStore: Send + Sync + 'static {
    /// Checks, before the first failover, that a lease of this name can be taken here: the name, the rights, the tables.
    ///
    /// # Errors
    ///
    /// [`StoreError::Refused`] says in words what is missing.
    ///
    /// # Cancel safety
    ///
    /// It changes nothing that matters.
    fn check(&self, name: &str) -> impl Future<Output = Result<(), StoreError>> + Send {
        let _ = name;
        async { Ok(()) }
    }

    /// Reads the record, as it is now: not from a copy that may be behind.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Refused`].
    ///
    /// # Cancel safety
    ///
    /// It changes nothing.
    fn read(&self, name: &str) -> impl Future<Output = Result<Record, StoreError>> + Send;

    /// Makes the claimant the holder, with a new fence, if the record still is of version `expected`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] if it is not, and nothing was changed; with any other error it is not known whether.
    ///
    /// # Cancel safety
    ///
    /// Once it was polled it may take effect, later too.
    fn take(
        &self,
        name: &str,
        claim: &Claim,
        expected: &Version,
    ) -> impl Future<Output = Result<Record, StoreError>> + Send;

    /// Writes the record anew for its holder, if it still is as `held` says, and returns it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] if it is not; with any other error it is not known whether it was written.
    ///
    /// # Cancel safety
    ///
    /// Once it was polled it may take effect, later too.
    fn renew(
        &self,
        name: &str,
        held: &Record,
    ) -> impl Future<Output = Result<Record, StoreError>> + Send;

    /// Makes the lease free, if the record still is as `held` says, and returns it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] if it is not; with any other error it is not known whether it was written.
    ///
    /// # Cancel safety
    ///
    /// Once it was polled it may take effect, later too.
    fn release(
        &self,
        name: &str,
        held: &Record,
    ) -> impl Future<Output = Result<Record, StoreError>> + Send;

    /// Reads all records whose names begin with `prefix`, sorted by name. Those that are free may be left out.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Refused`].
    ///
    /// # Cancel safety
    ///
    /// It changes nothing.
    fn list(
        &self,
        prefix: &str,
    ) -> impl Future<Output = Result<Vec<(String, Record)>, StoreError>> + Send;

    /// Waits until the record is no longer of version `seen`, and returns it if the store knows it. It is a hint: the
    /// future may end early, and one that never ends delays a follower until the lease that it has seen is over.
    ///
    /// A store that can keeps one watch over all calls: a follower calls it again after each change.
    ///
    /// # Errors
    ///
    /// Any error makes the follower look, a while later.
    ///
    /// # Cancel safety
    ///
    /// It changes nothing.
    fn changed(
        &self,
        name: &str,
        seen: &Version,
    ) -> impl Future<Output = Result<Option<Record>, StoreError>> + Send;

    /// Tells of each change of a record whose name begins with `prefix`, for as long as the future is polled, and returns why it
    /// tells no more. [`Change::Began`] comes first: what is written after it is told. Without a watch it ends at once, which is what it
    /// does by default, and [`Shards`](crate::Shards) list each `retry`.
    ///
    /// # Cancel safety
    ///
    /// It changes nothing.
    fn watch(
        &self,
        prefix: &str,
        tell: impl Fn(Change) + Send + Sync,
    ) -> impl Future<Output = StoreError> + Send {
        let _ = (prefix, tell);
        async { StoreError::refused("this store has no watch") }
    }

    /// Tells whether [`changed`](Self::changed) notices a change by itself. Then followers do not look each `retry`, but when they
    /// are told, when the lease that they have seen is over, and once a lease where the store itself ends leases.
    fn notifies(&self) -> bool {
        false
    }
}

/// What a [`watch`](LeaseStore::watch) tells.
///
/// # Examples
///
/// ```
/// use startstop_fleet::{Change, Record, Version};
///
/// let change = Change::Record("invoices".to_owned(), Record::free(Version::absent()));
/// assert_ne!(change, Change::Began);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// From now on nothing is missed.
    Began,
    /// The record of this name is like this now.
    Record(String, Record),
}

/// Who wants a lease, and for how long.
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
        Self { holder: holder.into(), lease: Some(lease), beside: None }
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
        Self { holder: holder.into(), lease: None, beside: Some(held.clone()) }
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

/// What becomes of a call that a store could not carry out.
///
/// # Examples
///
/// ```
/// use startstop_fleet::StoreError;
///
/// let error = StoreError::refused("no right to update leases");
/// assert_eq!(error.to_string(), "no right to update leases");
/// assert_eq!(StoreError::unavailable("timed out").to_string(), "the store cannot be reached");
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The record is not as the caller has seen it. Nothing was changed.
    #[error("the record has changed")]
    Conflict,
    /// No try will do better: a missing right or table, a bad name.
    #[error("{0}")]
    Refused(String),
    /// The store did not answer, or not with a yes or no: the call may have taken effect, or may still do.
    #[error("the store cannot be reached")]
    Unavailable(#[source] BoxError),
}

impl StoreError {
    /// Makes a [`Refused`](Self::Refused).
    pub fn refused(why: impl Into<String>) -> Self {
        Self::Refused(why.into())
    }

    /// Makes an [`Unavailable`](Self::Unavailable).
    pub fn unavailable(error: impl Into<BoxError>) -> Self {
        Self::Unavailable(error.into())
    }
}

impl<L: LeaseStore> LeaseStore for Arc<L> {
    fn check(&self, name: &str) -> impl Future<Output = Result<(), StoreError>> + Send {
        (**self).check(name)
    }

    fn read(&self, name: &str) -> impl Future<Output = Result<Record, StoreError>> + Send {
        (**self).read(name)
    }

    fn take(
        &self,
        name: &str,
        claim: &Claim,
        expected: &Version,
    ) -> impl Future<Output = Result<Record, StoreError>> + Send {
        (**self).take(name, claim, expected)
    }

    fn renew(
        &self,
        name: &str,
        held: &Record,
    ) -> impl Future<Output = Result<Record, StoreError>> + Send {
        (**self).renew(name, held)
    }

    fn release(
        &self,
        name: &str,
        held: &Record,
    ) -> impl Future<Output = Result<Record, StoreError>> + Send {
        (**self).release(name, held)
    }

    fn list(
        &self,
        prefix: &str,
    ) -> impl Future<Output = Result<Vec<(String, Record)>, StoreError>> + Send {
        (**self).list(prefix)
    }

    fn changed(
        &self,
        name: &str,
        seen: &Version,
    ) -> impl Future<Output = Result<Option<Record>, StoreError>> + Send {
        (**self).changed(name, seen)
    }

    fn watch(
        &self,
        prefix: &str,
        tell: impl Fn(Change) + Send + Sync,
    ) -> impl Future<Output = StoreError> + Send {
        (**self).watch(prefix, tell)
    }

    fn notifies(&self) -> bool {
        (**self).notifies()
    }
}
