//! The rules of a service's life: which state follows which, on what input, with which effect.
//!
//! Pure: no clock, no lock, no task. The engine feeds it inputs under its lock and carries out the
//! effects after it. A model checker can walk all of it.
//!
//! [`Lifecycle::step`] is the table of the rules. What others ask for is in [`requests`], what the parts of an
//! attempt do in [`parts`], what is due in [`deadlines`]. [`stopping`] is how an attempt ends, [`cycle`] what
//! follows it.
//!
//! Invariants:
//!
//! 1. `BEGIN_ATTEMPT` is asked for only when nothing of an earlier attempt is alive.
//! 2. A cycle ends once: `ENDED` comes only with a change to `Stopped`, and only when nothing is alive.
//! 3. After a stop no attempt begins until a later request: a stop clears `next` and forbids retries.
//! 4. `shutdown` is due at most once in an attempt, and only if `run` was entered.
//! 5. After `GIVE_UP` no start is pending, and no policy is asked.
//! 6. No start is pending on an attempt that has counted as ready, unless the next cycle is to answer it.

mod input;
mod effects;
mod flags;
mod queries;
mod requests;
mod parts;
mod deadlines;
mod stopping;
mod cycle;

use crate::report::state::State;
use crate::settings::{Rules, ShutdownRule};

pub(crate) use effects::Effects;
use flags::{Abort, JobTasks, Requested, Run, UserCode};
pub(crate) use flags::{End, ShutdownCall, StopStage, Timer};
pub(crate) use input::{Input, Part, RunEnd};

/// The lifecycle of one service: its state and its marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Lifecycle {
    state: State,
    stage: StopStage,
    end: End,
    shutdown_call: ShutdownCall,
    run: Run,
    requested: Requested,
    abort: Abort,
    user_code: UserCode,
    /// The current attempt has counted as ready.
    ready: bool,
    /// The runtime ended.
    lost: bool,
    /// The end was given up: what is left does not yield.
    unresponsive: bool,
    tasks: u32,
    kept: u32,
    held: u32,
    held_by_shutdown: u32,
    stuck: u32,
}

impl Lifecycle {
    /// Takes one input and says what has to be done about it.
    #[inline]
    pub(crate) fn step(&mut self, input: Input, rules: Rules) -> Effects {
        let effects = self.take(input, rules);
        if self.end != End::None {
            // What its tasks came to was for that.
            self.run = self.run.decided();
        }
        effects
    }

    #[inline]
    fn take(&mut self, input: Input, rules: Rules) -> Effects {
        match input {
            Input::Start => requests::start(self, rules),
            Input::Ensure => requests::ensure(self, rules),
            Input::Restart => requests::restart(self, rules),
            Input::Stop => requests::stop(self, rules),
            Input::Drain => requests::drain(self),
            Input::StopNow => requests::stop_now(self, rules),
            Input::Abort => requests::abort(self, rules),
            Input::Enter => parts::enter(self, rules),
            Input::Ready => parts::explicitly_ready(self, rules),
            Input::RunEnded(end) => parts::run_ended(self, end, rules),
            Input::ShutdownCallTaken => parts::shutdown_call_taken(self),
            Input::ShutdownCallEnded => parts::shutdown_call_ended(self, rules),
            Input::Added(part) => parts::added(self, part),
            Input::TaskFailed => parts::task_failed(self, rules),
            Input::Ended(part) => parts::ended(self, part, rules),
            Input::RanOut => parts::ran_out(self, rules),
            Input::Closing => parts::begin_closing(self),
            Input::Closed => parts::end_closing(self),
            Input::DrainOver => deadlines::drain_over(self, rules),
            Input::StartDue => deadlines::start_due(self, rules),
            Input::StopDue => deadlines::stop_due(self, rules),
            Input::AbortDue => deadlines::abort_due(self),
            Input::Silent => deadlines::silent(self),
            Input::Lost => parts::runtime_lost(self),
            Input::Retry => cycle::retry(self),
            Input::Exhausted => cycle::exhausted(self),
            Input::Finish => cycle::finish(self),
            Input::BackoffOver => cycle::backoff_over(self),
        }
    }
}

#[cfg(test)]
mod tests;
