//! The part of a service that can be read without a lock: the state, since when, and two marks, in one atomic word.
//!
//! Invariants:
//!
//! 1. The word is written under the lock of the engine only, so that it never goes back.
//! 2. It is written after what it tells of: who reads `Stopped` finds the failure in the history.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::report::state::State;
use crate::sync::AtomicU64;
use crate::sync::clock;

const STATE: u64 = 0b111;
const READY: u64 = 1 << 3;
const FAILED: u64 = 1 << 4;
/// The time is in units of 64 nanoseconds, so that it fits.
const COARSE: u64 = 1 << 5;
const TIME_SHIFT: u32 = 6;

/// The atomic word.
#[derive(Debug)]
pub(crate) struct AtomicState(AtomicU64);

/// The word at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StateSnapshot(u64);

impl AtomicState {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(
            StateSnapshot::new(State::Stopped, clock::now()).0,
        ))
    }

    #[inline]
    pub(crate) fn read(&self) -> StateSnapshot {
        // Pairs with the store of `write`: what was recorded before it is visible after it.
        StateSnapshot(self.0.load(Ordering::Acquire))
    }

    pub(crate) fn write(&self, reading: StateSnapshot) {
        self.0.store(reading.0, Ordering::Release);
    }
}

impl StateSnapshot {
    /// The state was entered at `since`, in nanoseconds of [`clock`]. 58 bits of them are nine years; a paused clock can
    /// be made to pass more, and then the last six bits are left out.
    pub(crate) fn new(state: State, since: u64) -> Self {
        let exact = since << TIME_SHIFT;
        let time = if exact >> TIME_SHIFT == since {
            exact
        } else {
            since >> TIME_SHIFT << TIME_SHIFT | COARSE
        };
        // A state's number is its place in `ALL`.
        Self(state as u64 | time)
    }

    #[inline]
    pub(crate) fn state(self) -> State {
        State::ALL
            .get((self.0 & STATE) as usize)
            .copied()
            .unwrap_or_default()
    }

    #[inline]
    pub(crate) fn is_running(self) -> bool {
        self.0 & STATE == State::Running as u64
    }

    /// Returns when the state was entered.
    #[inline]
    pub(crate) fn since(self) -> u64 {
        let time = self.0 >> TIME_SHIFT;
        if self.0 & COARSE == 0 {
            time
        } else {
            time << TIME_SHIFT
        }
    }

    /// Returns whether the service can do its job, or has done it.
    #[inline]
    pub(crate) fn is_ready(self) -> bool {
        self.0 & READY != 0
    }

    /// Returns whether the cycle has a failure.
    #[inline]
    pub(crate) fn has_failed(self) -> bool {
        self.0 & FAILED != 0
    }

    /// The same, ready.
    #[inline]
    pub(crate) fn ready(self) -> Self {
        Self(self.0 | READY)
    }

    /// The same, with a failure in the cycle.
    #[inline]
    pub(crate) fn failed(self) -> Self {
        Self(self.0 | FAILED)
    }

    /// The same state and time, neither ready nor failed.
    #[inline]
    pub(crate) fn without_flags(self) -> Self {
        Self(self.0 & !(READY | FAILED))
    }

    /// Returns how long it has been running: zero in every other state.
    #[inline]
    pub(crate) fn uptime(self) -> Duration {
        if !self.is_running() {
            return Duration::ZERO;
        }
        clock::since(self.since())
    }
}

#[cfg(test)]
mod tests {
    use super::{State, StateSnapshot};

    #[test]
    fn a_time_is_kept_to_the_nanosecond_for_nine_years_and_nearly_for_centuries() {
        for since in [0, 1, 123_456_789, (1 << 58) - 1] {
            let reading = StateSnapshot::new(State::Running, since).ready().failed();
            assert_eq!((reading.since(), reading.state()), (since, State::Running));
        }
        for since in [1 << 58, (1 << 60) + 77, u64::MAX] {
            let reading = StateSnapshot::new(State::Backoff, since).ready();
            assert!(
                since - reading.since() < 64,
                "{since} became {}",
                reading.since()
            );
            assert_eq!(
                (reading.state(), reading.is_ready()),
                (State::Backoff, true)
            );
            assert!(!reading.has_failed());
        }
    }
}
