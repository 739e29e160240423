//! The service that is looked at, whatever its type, without being kept alive.

use startstop_core::{Service, Status, WeakRunner};

/// What gives a snapshot of a service.
pub(crate) trait Source: Send + Sync {
    /// Returns the snapshot, or `None` once the runner is gone.
    fn status(&self) -> Option<Status>;
}

impl<S: Service> Source for WeakRunner<S> {
    fn status(&self) -> Option<Status> {
        self.upgrade().map(|runner| runner.status())
    }
}
