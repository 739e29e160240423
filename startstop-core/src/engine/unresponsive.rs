//! The listener that is told of each verdict of the process, beside those who wait for the service: a program that must not
//! be kept by what does not yield.

use std::sync::OnceLock;

use crate::engine::Shared;

static WATCHER: OnceLock<fn(&Shared)> = OnceLock::new();

/// Registers the one listener that is told of each verdict from now on.
#[cfg(feature = "signal")]
pub(crate) fn watch(watcher: fn(&Shared)) {
    WATCHER.get_or_init(|| watcher);
}

/// Tells that a service was given up. Not under its lock.
pub(super) fn tell(shared: &Shared) {
    if let Some(watcher) = WATCHER.get() {
        watcher(shared);
    }
}
