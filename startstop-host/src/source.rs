//! The service that is looked at, whatever its type, without being kept alive.

use std::sync::Arc;

use startstop_core::{Service, StartStop, Status, WeakRunner};

/// A source of handles of a service.
pub(crate) trait Source: Send + Sync {
    /// Returns the handle, or `None` once the runner is gone.
    fn handle(&self) -> Option<Arc<dyn StartStop>>;

    /// Returns a snapshot, or `None` once the runner is gone.
    fn status(&self) -> Option<Status> {
        self.handle().map(|handle| handle.status())
    }
}

impl<S: Service> Source for WeakRunner<S> {
    fn handle(&self) -> Option<Arc<dyn StartStop>> {
        self.upgrade()
            .map(|runner| Arc::new(runner) as Arc<dyn StartStop>)
    }
}
