//! From one attempt to the next, and from one cycle to the next.

use super::{Effects, End, Lifecycle};
use crate::report::state::State;

impl Lifecycle {
    pub(super) fn begin_cycle(&mut self) -> Effects {
        *self = Self { state: State::Starting, awaited: true, ..Self::default() };
        Effects::BEGIN_CYCLE.and(Effects::BEGIN_ATTEMPT)
    }

    pub(super) fn retry(&mut self) -> Effects {
        if !self.is_over() || !self.may_retry() {
            return Effects::NONE;
        }
        *self = Self { state: State::Backoff, awaited: self.awaited, ..Self::default() };
        Effects::NONE
    }

    /// The cycle fails, even where its last attempt did not.
    pub(super) fn exhausted(&mut self) -> Effects {
        if self.is_over() && self.end == End::Completed {
            self.end = End::Failed;
        }
        Effects::NONE
    }

    pub(super) fn finish(&mut self) -> Effects {
        if !self.is_over() {
            return Effects::NONE;
        }
        let next = self.next;
        *self = Self::default();
        let begin = if next { self.begin_cycle() } else { Effects::NONE };
        begin.and(Effects::ENDED)
    }

    pub(super) fn backoff_over(&mut self) -> Effects {
        if self.state != State::Backoff {
            return Effects::NONE;
        }
        self.state = State::Starting;
        Effects::BEGIN_ATTEMPT
    }
}
