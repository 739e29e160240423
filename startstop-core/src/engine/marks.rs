//! Marks of a service that are read without the lock, and that stay once they are set.

use std::sync::atomic::Ordering;

use crate::sync::AtomicU8;

/// A mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// The service goes on without a runner.
    Detached = 1,
    /// Something may be attached to the attempt.
    HasAttached = 1 << 1,
    /// The service is made of runners.
    IsComposite = 1 << 2,
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

    /// Returns whether the service is made of runners, or has some attached.
    #[inline]
    pub(crate) fn may_have_parts(&self) -> bool {
        let those = Mark::HasAttached as u8 | Mark::IsComposite as u8;
        self.0.load(Ordering::Acquire) & those != 0
    }

    #[inline]
    pub(crate) fn has(&self, mark: Mark) -> bool {
        self.0.load(Ordering::Acquire) & mark as u8 != 0
    }
}
