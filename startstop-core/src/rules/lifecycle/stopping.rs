//! The way down of an attempt: told, aborted, over.

use super::{Effects, End, Hook, Level, Lifecycle, Rules};
use crate::report::state::State;

impl Lifecycle {
    pub(super) fn begin_stop(&mut self, rules: Rules) -> Effects {
        let was = self.state;
        self.state = State::Stopping;
        self.asked = true;
        if self.end != End::None {
            // `run` has ended by itself at this very moment: nothing is left to be told.
            return Effects::DRIVE.and(Effects::TIMER);
        }
        self.end = End::Asked;
        if !self.running {
            return Effects::DRIVE;
        }
        if rules.drains && was == State::Running {
            self.level = Level::Draining;
            return Effects::DRAIN.and(Effects::TIMER);
        }
        self.cancel(rules)
    }

    /// Tells the service to end: its context is cancelled and `shutdown` is called.
    pub(super) fn cancel(&mut self, rules: Rules) -> Effects {
        self.level = Level::Cancelled;
        Effects::CANCEL.and(Effects::TIMER).and(self.call_hook(rules))
    }

    pub(super) fn call_hook(&mut self, rules: Rules) -> Effects {
        if !rules.hooked || self.lost {
            self.hook = Hook::Done;
            return Effects::NONE;
        }
        self.hook = Hook::Due;
        Effects::HOOK
    }

    /// Has everything that is left dropped. A `shutdown` that was not called yet will not be.
    pub(super) fn drop_all(&mut self) -> Effects {
        self.level = Level::Aborted;
        if self.hook == Hook::Due {
            self.hook = Hook::Done;
        }
        let drive = if self.is_alive() { Effects::NONE } else { Effects::DRIVE };
        drive.and(Effects::CANCEL).and(Effects::ABORT).and(Effects::TIMER)
    }

    /// After something has ended: is it over, or is what is left only to be given up on?
    pub(super) fn look_for_the_end(&mut self, rules: Rules) -> Effects {
        if self.is_over() {
            return self.last_call(rules);
        }
        if self.state != State::Stopping || self.verdict {
            return Effects::NONE;
        }
        let hook = matches!(self.hook, Hook::Due | Hook::Live);
        let only_held = !self.running && !hook && self.tasks + self.kept == 0;
        if only_held && self.level < Level::Aborted {
            return self.drop_all();
        }
        Effects::TIMER
    }

    /// An aborted attempt that nobody had asked to end gets its `shutdown` now, if it wants one.
    fn last_call(&mut self, rules: Rules) -> Effects {
        let aborted = matches!(self.end, End::Late | End::Silent) && !self.immediate;
        let wanted = rules.shutdown_always && rules.hooked && self.hook == Hook::Idle;
        if aborted && wanted && !self.lost && !self.verdict {
            return self.cancel(rules);
        }
        Effects::DRIVE
    }
}
