//! Marks of a service that are read without the lock, and that stay once they are set.

use std::sync::atomic::Ordering;

use crate::sync::AtomicU8;

/// A mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// The service goes on without a runner.
    Detached = 1,
    /// Something may be attached to the attempt.
    HasAttached = 2,
}

/// The marks, a bit for each.
pub(crate) struct Marks(AtomicU8);

impl Marks {
    pub(super) fn new() -> Self {
        Self(AtomicU8::new(0))
    }

    pub(crate) fn set(&self, mark: Mark) {
        self.0.fetch_or(mark as u8, Ordering::Release);
    }

    pub(crate) fn has(&self, mark: Mark) -> bool {
        self.0.load(Ordering::Acquire) & mark as u8 != 0
    }
}
