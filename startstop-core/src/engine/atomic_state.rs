//! What can be read without a lock: the state, since when, and two marks, in one atomic word.
//!
//! Invariants:
//!
//! 1. The word is written under the lock of the cell only, so that it never goes back.
//! 2. It is written after what it tells of: who reads `Stopped` finds the failure in the history.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::report::state::State;
use crate::sync::AtomicU64;
use crate::sync::clock;

const STATE: u64 = 0b111;
const READY: u64 = 1 << 3;
const FAILED: u64 = 1 << 4;
const TIME_SHIFT: u32 = 5;

/// The atomic word.
#[derive(Debug)]
pub(crate) struct Word(AtomicU64);

/// What is in it at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading(u64);

impl Word {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(Reading::new(State::Stopped, clock::now()).0))
    }

    #[inline]
    pub(crate) fn read(&self) -> Reading {
        // Pairs with the store of `write`: what was recorded before it is visible after it.
        Reading(self.0.load(Ordering::Acquire))
    }

    pub(crate) fn write(&self, reading: Reading) {
        self.0.store(reading.0, Ordering::Release);
    }
}

impl Reading {
    /// The state was entered at `since`, in nanoseconds of [`clock`]: 59 bits of them are 18 years.
    pub(crate) fn new(state: State, since: u64) -> Self {
        // A state's number is its place in `ALL`.
        Self(state as u64 | since << TIME_SHIFT)
    }

    #[inline]
    pub(crate) fn state(self) -> State {
        State::ALL.get((self.0 & STATE) as usize).copied().unwrap_or_default()
    }

    #[inline]
    pub(crate) fn is_running(self) -> bool {
        self.0 & STATE == State::Running as u64
    }

    /// When the state was entered.
    #[inline]
    pub(crate) fn since(self) -> u64 {
        self.0 >> TIME_SHIFT
    }

    /// Whether the service can do its job, or has done it.
    #[inline]
    pub(crate) fn is_ready(self) -> bool {
        self.0 & READY != 0
    }

    /// Whether the cycle has a failure.
    #[inline]
    pub(crate) fn has_failed(self) -> bool {
        self.0 & FAILED != 0
    }

    pub(crate) fn with_ready(self, ready: bool) -> Self {
        Self(if ready { self.0 | READY } else { self.0 & !READY })
    }

    pub(crate) fn with_failed(self, failed: bool) -> Self {
        Self(if failed { self.0 | FAILED } else { self.0 & !FAILED })
    }

    /// How long it has been running: zero in every other state.
    #[inline]
    pub(crate) fn uptime(self) -> Duration {
        if !self.is_running() {
            return Duration::ZERO;
        }
        clock::since(self.since())
    }
}
