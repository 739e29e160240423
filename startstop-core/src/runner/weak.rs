//! A handle that does not keep a service running.

use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use super::Runner;
use crate::engine::{Mark, Node, Shared, gate};
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
    node: Weak<dyn Node>,
    service: PhantomData<Arc<S>>,
}

impl<S: Service> WeakRunner<S> {
    pub(super) fn new(node: &Arc<dyn Node>) -> Self {
        Self {
            node: Arc::downgrade(node),
            service: PhantomData,
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
        upgrade(&self.node).map(Runner::of_node)
    }
}

/// Comes to the node of a runner again, and counts one more.
pub(super) fn upgrade(node: &Weak<dyn Node>) -> Option<Arc<dyn Node>> {
    let add = |shared: &Shared| {
        let detached = shared.marks.has(Mark::Detached);
        let add = |count: u32| (count > 0 || detached).then_some(count + 1);
        shared
            .handles
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, add)
            .is_ok()
    };
    gate::come_back(node, add)
}

impl<S: Service> Clone for WeakRunner<S> {
    fn clone(&self) -> Self {
        Self {
            node: Weak::clone(&self.node),
            service: PhantomData,
        }
    }
}

impl<S: Service> fmt::Debug for WeakRunner<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakRunner").finish_non_exhaustive()
    }
}
