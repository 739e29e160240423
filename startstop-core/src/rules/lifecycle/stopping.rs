//! The way down of an attempt: told, aborted, over.

use super::{Effects, End, Lifecycle, Rules, ShutdownCall, StopStage};
use crate::report::state::State;

impl Lifecycle {
    /// A stop of what is not stopping: a drain comes first where there is one and the service is up.
    pub(super) fn begin_stop(&mut self, rules: Rules) -> Effects {
        let is_up = self.state == State::Running && self.running;
        if !rules.drains || !is_up {
            return self.tell_to_stop(rules);
        }
        let was_told = self.stage == StopStage::Draining;
        self.state = State::Stopping;
        self.asked = true;
        self.end = End::Asked;
        self.stage = StopStage::Draining;
        if was_told { Effects::TIMER } else { Effects::DRAIN.and(Effects::TIMER) }
    }

    /// The same without a drain.
    pub(super) fn tell_to_stop(&mut self, rules: Rules) -> Effects {
        if rules.aborts { self.abort_what_runs(rules) } else { self.wind_down(rules) }
    }

    pub(super) fn wind_down(&mut self, rules: Rules) -> Effects {
        self.state = State::Stopping;
        self.asked = true;
        if self.end != End::None {
            // `run` has ended by itself at this very moment: nothing is left to be told.
            return Effects::WAKE_DRIVER.and(Effects::TIMER);
        }
        self.end = End::Asked;
        if !self.is_alive() {
            return Effects::WAKE_DRIVER;
        }
        self.cancel(rules)
    }

    /// `run` has ended in the drain, and with it whatever that was for.
    pub(super) fn end_drain(&mut self, rules: Rules) -> Effects {
        match rules.aborts {
            false => self.cancel(rules),
            true if self.is_alive() => self.drop_at_once(),
            true => {
                self.stage = StopStage::Cancelled;
                Effects::CANCEL
            }
        }
    }

    /// Has everything dropped, since that is what was asked for.
    pub(super) fn drop_at_once(&mut self) -> Effects {
        self.immediate = true;
        self.drop_all()
    }

    /// Tells the service to end: its context is cancelled and `shutdown` is called.
    pub(super) fn cancel(&mut self, rules: Rules) -> Effects {
        self.stage = StopStage::Cancelled;
        Effects::CANCEL.and(Effects::TIMER).and(self.call_hook(rules))
    }

    pub(super) fn call_hook(&mut self, rules: Rules) -> Effects {
        if !rules.has_shutdown_call || self.lost {
            self.shutdown_call = ShutdownCall::Done;
            return Effects::NONE;
        }
        self.shutdown_call = ShutdownCall::Due;
        Effects::CALL_SHUTDOWN
    }

    /// Has everything that is left dropped. A `shutdown` that was not called yet will not be.
    pub(super) fn drop_all(&mut self) -> Effects {
        self.stage = StopStage::Aborted;
        if self.shutdown_call == ShutdownCall::Due {
            self.shutdown_call = ShutdownCall::Done;
        }
        let next = match () {
            () if self.is_only_stuck() && !self.unresponsive => self.give_up(),
            () if self.is_alive() => Effects::NONE,
            () => Effects::WAKE_DRIVER,
        };
        next.and(Effects::CANCEL).and(Effects::ABORT).and(Effects::TIMER)
    }

    /// After something has ended: is it over, or is what is left only to be given up on?
    pub(super) fn look_for_the_end(&mut self, rules: Rules) -> Effects {
        if self.is_over() {
            return self.last_call(rules);
        }
        if self.state != State::Stopping || self.unresponsive {
            return Effects::NONE;
        }
        if self.is_only_stuck() {
            // They have had all the time that there is.
            return match self.stage {
                StopStage::Aborted => self.give_up().and(Effects::TIMER),
                _ => self.drop_all(),
            };
        }
        let shutdown_call = matches!(self.shutdown_call, ShutdownCall::Due | ShutdownCall::Live);
        let only_held = !self.running && !shutdown_call && self.tasks + self.kept == 0;
        if only_held && self.stage < StopStage::Aborted {
            return self.drop_all();
        }
        Effects::TIMER
    }

    /// An aborted attempt that nobody had asked to end gets its `shutdown` now, if it wants one.
    fn last_call(&mut self, rules: Rules) -> Effects {
        let aborted = matches!(self.end, End::Late | End::Silent) && !self.immediate;
        let wanted = rules.shutdown_always
            && rules.has_shutdown_call
            && self.shutdown_call == ShutdownCall::Idle;
        if aborted && wanted && !self.lost && !self.unresponsive {
            return self.cancel(rules);
        }
        Effects::WAKE_DRIVER
    }
}
