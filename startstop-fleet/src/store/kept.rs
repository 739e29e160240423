//! Watches that outlive one call of `changed`, so that a follower costs one watch and not one a change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::record::Version;

/// The watches that nobody waits on at the moment, by the name of the lease, with the version that each has told last.
#[derive(Debug)]
pub(super) struct Kept<W>(Arc<Mutex<HashMap<String, (Version, W)>>>);

/// A watch that is put back when nobody waits on it any more.
pub(super) struct Lent<'a, W> {
    kept: &'a Kept<W>,
    name: &'a str,
    version: Version,
    watch: Option<W>,
}

impl<W> Kept<W> {
    /// Returns the watch of this lease that has told `seen` last.
    pub(super) fn take(&self, name: &str, seen: &Version) -> Option<W> {
        let (version, watch) = self.lock().remove(name)?;
        (version == *seen).then_some(watch)
    }

    /// Asks the watch of this lease that has told `seen` last.
    #[cfg(feature = "etcd")]
    pub(super) fn with<T>(
        &self,
        name: &str,
        seen: &Version,
        ask: impl FnOnce(&mut W) -> T,
    ) -> Option<T> {
        let mut kept = self.lock();
        let (version, watch) = kept.get_mut(name)?;
        (version == seen).then(|| ask(watch))
    }

    pub(super) fn lend<'a>(&'a self, name: &'a str, seen: &Version, watch: W) -> Lent<'a, W> {
        Lent {
            kept: self,
            name,
            version: seen.clone(),
            watch: Some(watch),
        }
    }

    /// Closes the watch of a lease that is followed no more.
    pub(super) fn close(&self, name: &str) {
        let closed = self.lock().remove(name);
        drop(closed);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Version, W)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W> Lent<'_, W> {
    /// Returns the watch, until [`fail`](Self::fail).
    pub(super) fn watch(&mut self) -> &mut W {
        self.watch
            .as_mut()
            .expect("it is here until it is dropped or fails")
    }

    /// Returns the version that it has told last.
    #[cfg(feature = "etcd")]
    pub(super) fn version(&self) -> &Version {
        &self.version
    }

    /// It has told this version.
    pub(super) fn told(&mut self, version: &Version) {
        self.version = version.clone();
    }

    /// It is good for nothing any more.
    pub(super) fn fail(mut self) {
        self.watch = None;
    }
}

impl<W> Drop for Lent<'_, W> {
    fn drop(&mut self) {
        if let Some(watch) = self.watch.take() {
            let old = self
                .kept
                .lock()
                .insert(self.name.to_owned(), (self.version.clone(), watch));
            drop(old);
        }
    }
}

impl<W> Clone for Kept<W> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<W> Default for Kept<W> {
    fn default() -> Self {
        Self(Arc::default())
    }
}
