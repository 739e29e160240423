//! A handle that does not keep a service running.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use super::Runner;
use crate::engine::{Shared, gate};
use crate::runner::driver::Inner;
use crate::service::Service;

/// A handle that does not keep a service running, from [`Runner::downgrade`].
///
/// # Examples
///
/// ```
/// use startstop_core::{Runner, service_fn};
///
/// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
/// let weak = runner.downgrade();
/// assert!(weak.upgrade().is_some());
/// drop(runner);
/// assert!(weak.upgrade().is_none());
/// ```
pub struct WeakRunner<S: Service> {
    inner: Weak<Inner<S>>,
}

impl<S: Service> WeakRunner<S> {
    pub(super) fn new(inner: &Arc<Inner<S>>) -> Self {
        Self {
            inner: Arc::downgrade(inner),
        }
    }

    /// Returns the runner, or `None` once its last clone is dropped. A service that was [detached](Runner::detach) can be
    /// reached again as long as it runs.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, once};
    ///
    /// let runner = Runner::new(once(async |_cx| ()));
    /// let weak = runner.downgrade();
    /// assert_eq!(weak.upgrade().unwrap().name(), runner.name());
    /// ```
    pub fn upgrade(&self) -> Option<Runner<S>> {
        let add = |shared: &Shared| {
            let detached = shared.detached.load(Ordering::Acquire);
            let add = |count: u32| (count > 0 || detached).then_some(count + 1);
            shared
                .handles
                .fetch_update(Ordering::AcqRel, Ordering::Relaxed, add)
                .is_ok()
        };
        gate::come_back(&self.inner, add).map(Runner::of_inner)
    }
}

impl<S: Service> Clone for WeakRunner<S> {
    fn clone(&self) -> Self {
        Self {
            inner: Weak::clone(&self.inner),
        }
    }
}

impl<S: Service> fmt::Debug for WeakRunner<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakRunner").finish_non_exhaustive()
    }
}
