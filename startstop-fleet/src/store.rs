//! `LeaseStore`: where replicas meet. A store reads, compares and sets; it decides nothing.

#[cfg(any(feature = "etcd", feature = "kubernetes", feature = "postgres"))]
mod addresses;
mod claim;
mod error;
#[cfg(unix)]
mod dir;
#[cfg(feature = "etcd")]
mod etcd;
#[cfg(any(feature = "etcd", feature = "kubernetes"))]
mod kept;
#[cfg(feature = "kubernetes")]
mod kubernetes;
mod memory;
mod name;
#[cfg(any(feature = "etcd", feature = "postgres"))]
mod turn;
#[cfg(any(feature = "etcd", feature = "kubernetes"))]
mod way;
#[cfg(feature = "postgres")]
mod postgres;

use std::future::Future;
use std::sync::Arc;

pub use claim::Claim;
#[cfg(unix)]
pub use dir::Dir;
pub use error::StoreError;
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
    /// Checks, before the first failover, that a lease of this name can be taken here: the name, the rights, the tables. By default
    /// a name is refused only if it is empty, has a zero byte, or is longer than 1000 bytes.
    ///
    /// # Errors
    ///
    /// [`StoreError::Refused`] says in words what is missing.
    ///
    /// # Cancel safety
    ///
    /// It changes nothing that matters.
    fn check(&self, name: &str) -> impl Future<Output = Result<(), StoreError>> + Send {
        let checked = name::check(name);
        async { checked }
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

    /// Deletes the record of a name that nobody is to take again, if it is free and still of the version of `seen`. Otherwise it stays
    /// as it is, which is no error. By default it stays in any case. Fences grow nevertheless, should somebody take it.
    ///
    /// [`Shards`](crate::Shards) call it for processes that are gone, whose names never come back.
    ///
    /// # Errors
    ///
    /// [`StoreError::Refused`] if there is no right to delete; [`StoreError::Unavailable`].
    ///
    /// # Cancel safety
    ///
    /// Once it was polled it may take effect, later too.
    fn forget(
        &self,
        name: &str,
        seen: &Record,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        let _ = (name, seen);
        async { Ok(()) }
    }

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

/// A message of a [`watch`](LeaseStore::watch).
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

    fn forget(
        &self,
        name: &str,
        seen: &Record,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        (**self).forget(name, seen)
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
