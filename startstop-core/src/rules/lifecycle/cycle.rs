//! From one attempt to the next, and from one cycle to the next.

use super::{Effects, End, Lifecycle, Requested};
use crate::report::state::State;

pub(super) fn begin(life: &mut Lifecycle) -> Effects {
    *life = Lifecycle {
        state: State::Starting,
        requested: Requested::Start,
        ..Lifecycle::default()
    };
    Effects::BEGIN_CYCLE.and(Effects::BEGIN_ATTEMPT)
}

#[inline]
pub(super) fn retry(life: &mut Lifecycle) -> Effects {
    if !life.is_over() || !life.may_retry() {
        return Effects::NONE;
    }
    *life = Lifecycle {
        state: State::Backoff,
        requested: life.requested,
        ..Lifecycle::default()
    };
    Effects::NONE
}

/// The cycle fails, even where its last attempt did not.
pub(super) fn exhausted(life: &mut Lifecycle) -> Effects {
    if life.is_over() && life.end == End::Completed {
        life.end = End::Failed;
    }
    Effects::NONE
}

#[inline]
pub(super) fn finish(life: &mut Lifecycle) -> Effects {
    if !life.is_over() {
        return Effects::NONE;
    }
    let next = life.has_next();
    *life = Lifecycle::default();
    let begin = if next { begin(life) } else { Effects::NONE };
    begin.and(Effects::ENDED)
}

pub(super) fn backoff_over(life: &mut Lifecycle) -> Effects {
    if life.state != State::Backoff {
        return Effects::NONE;
    }
    life.state = State::Starting;
    Effects::BEGIN_ATTEMPT
}
