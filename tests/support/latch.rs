//! A latch: it holds a thread until it is released.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

#[derive(Debug, Default)]
pub(crate) struct Latch {
    released: Mutex<bool>,
    changed: Condvar,
}

impl Latch {
    /// Blocks the thread; for a while only, so that a broken test ends too.
    pub(crate) fn block(&self) {
        let released = self.released.lock().expect("nobody panics under it");
        let limit = Duration::from_secs(30);
        let waited = self
            .changed
            .wait_timeout_while(released, limit, |released| !*released);
        drop(waited.expect("nobody panics under it"));
    }

    pub(crate) fn release(&self) {
        *self.released.lock().expect("nobody panics under it") = true;
        self.changed.notify_all();
    }
}
