//! How a request is put, who waits for it, and what comes of it.

use std::task::Waker;

use crate::engine::waiters::{Answer, Key, Topic};
use crate::engine::{ArmTimer, Synced, deadline};
use crate::report::state::State;
use crate::rules::lifecycle::Input;

/// How a start treats what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartKind {
    /// A running service is stopped first.
    Start,
    /// A running service is left alone.
    Ensure,
    /// The same by an owner: a service that it finds at rest has no parent any more.
    ByOwner,
    /// Whatever is there is stopped first.
    Restart,
}

/// The outcome of a request, or the entry where it will be.
pub(crate) enum Reply<T> {
    Now(T),
    /// In this entry, which has no waker yet.
    Later(Key),
    /// In this entry, which wakes the one who asked; `owes` if nobody keeps the deadline yet.
    Awaited {
        key: Key,
        owes: bool,
    },
}

/// The one who waits for the outcome.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Caller<'a> {
    /// A future, which is woken by it.
    By(&'a Waker),
    /// Nobody.
    No,
}

impl Caller<'_> {
    /// Somebody who waits sees for himself whether it takes longer than a few turns of the runtime.
    pub(super) fn arm(self) -> ArmTimer {
        match self {
            Self::By(_) => ArmTimer::ByCaller,
            Self::No => ArmTimer::ByDriver,
        }
    }

    /// Registers the one who waits, before the step that may bring the answer.
    pub(super) fn register(self, topic: Topic, synced: &mut Synced) -> Option<Key> {
        match self {
            Self::By(waker) => Some(synced.waiters.add_with(topic, waker)),
            Self::No => None,
        }
    }
}

/// Returns where the one who was registered finds the outcome.
pub(super) fn reply<T>(
    key: Option<Key>,
    synced: &mut Synced,
    read: fn(Answer) -> Option<Result<(), T>>,
) -> Reply<Result<(), T>> {
    let Some(key) = key else {
        return Reply::Now(Ok(()));
    };
    match synced.waiters.take(key).and_then(read) {
        Some(outcome) => Reply::Now(outcome),
        None => Reply::Awaited {
            key,
            owes: deadline::is_owed(synced),
        },
    }
}

impl StartKind {
    pub(super) fn input(self) -> Input {
        match self {
            Self::Start => Input::Start,
            Self::Ensure | Self::ByOwner => Input::Ensure,
            Self::Restart => Input::Restart,
        }
    }

    /// Returns whether it ends what is there in this state.
    pub(super) fn replaces(self, state: State) -> bool {
        match self {
            Self::Start => state == State::Running,
            Self::Restart => matches!(state, State::Starting | State::Running | State::Backoff),
            Self::Ensure | Self::ByOwner => false,
        }
    }

    /// Returns whether it leaves a running service alone.
    pub(super) fn ensures(self) -> bool {
        matches!(self, Self::Ensure | Self::ByOwner)
    }

    /// Returns whether a new cycle comes of it in this state, which needs a runtime.
    pub(super) fn begins_cycle(self, state: State) -> bool {
        matches!(state, State::Stopped | State::Stopping) || self.replaces(state)
    }
}
