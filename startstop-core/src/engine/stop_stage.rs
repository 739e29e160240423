//! How far the end of an attempt has come, as its contexts and its driver read it without the lock.

use std::sync::atomic::Ordering;

use crate::rules::lifecycle::Level;
use crate::sync::AtomicU64;

/// The number of the current attempt and how far its end has come, in one atomic word.
pub(super) struct Signal(AtomicU64);

impl Signal {
    const LEVELS: u64 = 4;
    const ORDER: [Level; 4] = [Level::Alive, Level::Draining, Level::Cancelled, Level::Aborted];

    /// Before the first attempt.
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(super) fn raise(&self, epoch: u64, level: Level) {
        // `SeqCst`, with the `polling` mark: either the driver sees the level before it polls `run`,
        // or the one who stores it sees that the driver is polling.
        self.0.store(epoch * Self::LEVELS + level as u64, Ordering::SeqCst);
    }

    /// Shows an attempt that begins or is over: nobody is polling `run` then.
    pub(super) fn turn(&self, epoch: u64, level: Level) {
        self.0.store(epoch * Self::LEVELS + level as u64, Ordering::Release);
    }

    pub(super) fn epoch(&self) -> u64 {
        self.0.load(Ordering::Acquire) / Self::LEVELS
    }

    /// The level of the current attempt.
    #[inline]
    pub(super) fn current(&self) -> Level {
        Self::ORDER[(self.0.load(Ordering::SeqCst) % Self::LEVELS) as usize]
    }

    pub(super) fn level(&self, epoch: u64) -> Level {
        let value = self.0.load(Ordering::SeqCst);
        if value / Self::LEVELS != epoch {
            return Level::Aborted;
        }
        Self::ORDER[(value % Self::LEVELS) as usize]
    }
}
