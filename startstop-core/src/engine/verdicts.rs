//! Who is told of each verdict of the process, beside those who wait for the service: a program that must not be kept by
//! what does not yield.

use std::sync::OnceLock;

use crate::engine::Core;

static WATCHER: OnceLock<fn(&Core)> = OnceLock::new();

/// Has each verdict told, from now on; there is one who is.
#[cfg(feature = "signal")]
pub(crate) fn watch(watcher: fn(&Core)) {
    WATCHER.get_or_init(|| watcher);
}

/// Tells that a service was given up. Not under its lock.
pub(super) fn tell(core: &Core) {
    if let Some(watcher) = WATCHER.get() {
        watcher(core);
    }
}
