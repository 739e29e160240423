//! Methods that read a life: nothing changes here.

use super::{Abort, End, Lifecycle, Requested, Run, ShutdownCall, StopStage, Timer, UserCode};
use crate::report::state::{Exit, Phase, State};

impl Lifecycle {
    pub(crate) fn state(&self) -> State {
        self.state
    }

    pub(crate) fn stage(&self) -> StopStage {
        self.stage
    }

    pub(crate) fn end(&self) -> End {
        self.end
    }

    /// Returns whether `run` was entered and has not ended.
    pub(crate) fn is_run_alive(&self) -> bool {
        matches!(self.run, Run::Alive(_))
    }

    /// Returns whether `shutdown` waits for somebody to call it.
    pub(crate) fn is_shutdown_call_due(&self) -> bool {
        self.shutdown_call == ShutdownCall::Due
    }

    /// Returns whether `shutdown` is being executed.
    pub(crate) fn is_shutdown_call_live(&self) -> bool {
        self.shutdown_call == ShutdownCall::Live
    }

    /// Returns whether a part may be added: the attempt has some, and is not aborted.
    pub(crate) fn is_open(&self) -> bool {
        self.stage < StopStage::Aborted && self.has_parts()
    }

    /// Returns whether the runtime of the attempt has ended.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Returns whether the end was given up: what is left does not yield.
    pub(crate) fn is_unresponsive(&self) -> bool {
        self.unresponsive
    }

    /// Returns whether a stop has begun, by whatever asked for it.
    pub(crate) fn is_asked(&self) -> bool {
        matches!(self.requested, Requested::Stop | Requested::Restart)
    }

    /// Returns whether something was aborted at the deadline of a stop.
    pub(crate) fn is_overdue(&self) -> bool {
        self.abort == Abort::Overdue
    }

    /// Returns whether something was aborted because that was asked for, or is about to be.
    pub(crate) fn is_aborted_on_request(&self) -> bool {
        self.abort == Abort::Immediate && self.end == End::Asked
    }

    /// Returns whether a new cycle follows this one.
    pub(crate) fn has_next(&self) -> bool {
        self.requested == Requested::Restart
    }

    /// Returns whether a start is pending.
    pub(super) fn is_awaited(&self) -> bool {
        matches!(self.requested, Requested::Start | Requested::Restart)
    }

    /// Returns whether the current attempt has counted as ready.
    pub(crate) fn was_ready(&self) -> bool {
        self.ready
    }

    /// Returns whether anything of the attempt is alive.
    pub(crate) fn is_alive(&self) -> bool {
        self.has_parts() || self.user_code == UserCode::Called
    }

    fn has_parts(&self) -> bool {
        self.is_run_alive()
            || matches!(self.shutdown_call, ShutdownCall::Due | ShutdownCall::Live)
            || self.tasks + self.kept + self.held + self.held_by_shutdown + self.stuck > 0
    }

    /// Returns whether nothing is left but parts that are out of deadlines.
    pub(super) fn is_only_stuck(&self) -> bool {
        self.stuck > 0 && !Self { stuck: 0, ..*self }.is_alive()
    }

    /// Returns whether the attempt has ended, so that its end can be settled.
    pub(crate) fn is_over(&self) -> bool {
        match self.state {
            State::Starting | State::Running => self.end != End::None && !self.is_alive(),
            State::Stopping => !self.is_alive(),
            State::Stopped | State::Backoff => false,
        }
    }

    /// Returns whether the policy has a say in what follows the attempt that is over.
    pub(crate) fn may_retry(&self) -> bool {
        !self.is_asked() && !self.lost && !self.unresponsive
    }

    /// Returns how the cycle ends, as long as nothing has failed after its stop had begun.
    pub(crate) fn exit(&self) -> Exit {
        match self.end {
            _ if self.lost || self.abort != Abort::None || self.unresponsive => Exit::Aborted,
            End::Failed | End::Late | End::Silent => Exit::Failed,
            End::Completed => Exit::Completed,
            End::Asked | End::None => Exit::Stopped,
        }
    }

    /// Returns the kinds of parts that are alive, to say which are stuck.
    pub(crate) fn alive_parts(&self) -> Vec<Phase> {
        let beside = self.kept + self.held + self.stuck > 0 || self.user_code == UserCode::Called;
        let run = (self.is_run_alive() || beside).then_some(Phase::Run);
        let is_called = self.shutdown_call == ShutdownCall::Live || self.held_by_shutdown > 0;
        let shutdown_call = is_called.then_some(Phase::Shutdown);
        let task = (self.tasks > 0).then_some(Phase::Task);
        [run, shutdown_call, task].into_iter().flatten().collect()
    }

    /// Returns the deadline that is to be kept now.
    #[inline]
    pub(crate) fn timer(&self) -> Timer {
        match (self.state, self.stage) {
            _ if self.unresponsive => Timer::None,
            _ if !self.is_alive() => self.timer_of_the_end(),
            _ if self.user_code == UserCode::Called && self.stage < StopStage::Aborted => {
                Timer::Stop
            }
            (State::Starting, _) => Timer::Start,
            (State::Running, _) => Timer::Watch,
            (State::Stopping, StopStage::Draining) => Timer::Drain,
            (State::Stopping, StopStage::Cancelled) => Timer::Stop,
            // The clock of the abort starts when those who keep their own deadlines have run out.
            (State::Stopping, StopStage::Aborted) if self.kept == 0 => Timer::Abort,
            _ => Timer::None,
        }
    }
    /// Somebody waits for the end of an attempt that was asked to end.
    fn timer_of_the_end(&self) -> Timer {
        if self.is_over() && self.is_asked() {
            Timer::Settle
        } else {
            Timer::None
        }
    }
}
