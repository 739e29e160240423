//! How far the end of an attempt has come, as its contexts and its driver read it without the lock.

use std::sync::atomic::Ordering;

use crate::rules::lifecycle::StopStage;
use crate::sync::AtomicU64;

/// The number of the current attempt and how far its end has come, in one atomic word.
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

    pub(super) fn advance(&self, epoch: u64, stage: StopStage) {
        // `SeqCst`, with the `polling` mark: either the driver sees the stage before it polls `run`,
        // or the one who stores it sees that the driver is polling.
        self.0
            .store(epoch * Self::STAGES + stage as u64, Ordering::SeqCst);
    }

    /// Shows an attempt that begins or is over: nobody is polling `run` then.
    pub(super) fn reset(&self, epoch: u64, stage: StopStage) {
        self.0
            .store(epoch * Self::STAGES + stage as u64, Ordering::Release);
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
