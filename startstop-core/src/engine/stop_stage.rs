//! How far the end of an attempt has come, as its contexts and its driver read it without the lock.

use std::sync::atomic::Ordering;

use crate::rules::lifecycle::StopStage;
use crate::sync::AtomicU64;

/// The number of the current attempt and how far its end has come, in one atomic word. It is written under the lock of the
/// engine only.
pub(super) struct StopStageCell(AtomicU64);

impl StopStageCell {
    const STAGES: u64 = 4;
    const ORDER: [StopStage; 4] = [
        StopStage::Alive,
        StopStage::Draining,
        StopStage::Cancelled,
        StopStage::Aborted,
    ];

    /// Before the first attempt.
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Begins the next attempt, and returns its number: nobody is polling `run` then.
    pub(super) fn begin(&self) -> u64 {
        let epoch = self.epoch() + 1;
        let word = epoch * Self::STAGES + StopStage::Alive as u64;
        self.0.store(word, Ordering::Release);
        epoch
    }

    /// The end of the attempt has come so far.
    pub(super) fn advance(&self, stage: StopStage) {
        let word = self.epoch() * Self::STAGES + stage as u64;
        // `SeqCst`, with the `polling` mark: either the driver sees the stage before it polls `run`,
        // or the one who stores it sees that the driver is polling.
        self.0.store(word, Ordering::SeqCst);
    }

    /// The attempt is over: nobody is polling `run` then.
    pub(super) fn close(&self) {
        let word = self.epoch() * Self::STAGES + StopStage::Aborted as u64;
        self.0.store(word, Ordering::Release);
    }

    pub(super) fn epoch(&self) -> u64 {
        self.0.load(Ordering::Acquire) / Self::STAGES
    }

    /// Returns the stop stage of the current attempt.
    #[inline]
    pub(super) fn current(&self) -> StopStage {
        Self::ORDER[(self.0.load(Ordering::SeqCst) % Self::STAGES) as usize]
    }

    pub(super) fn stage(&self, epoch: u64) -> StopStage {
        let value = self.0.load(Ordering::SeqCst);
        if value / Self::STAGES != epoch {
            return StopStage::Aborted;
        }
        Self::ORDER[(value % Self::STAGES) as usize]
    }
}
