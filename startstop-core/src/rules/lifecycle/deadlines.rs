//! What happens when a time is up.

use super::{Effects, End, Lifecycle, Rules, StopStage};
use crate::report::state::State;

impl Lifecycle {
    pub(super) fn drain_over(&mut self, rules: Rules) -> Effects {
        match (self.state, self.stage) {
            (State::Stopping, StopStage::Draining) if rules.aborts => self.drop_at_once(),
            (State::Stopping, StopStage::Draining) => self.cancel(rules),
            _ => Effects::NONE,
        }
    }

    pub(super) fn start_due(&mut self, rules: Rules) -> Effects {
        match self.state {
            State::Starting if self.running && rules.owner => {
                self.state = State::Stopping;
                self.end = End::Late;
                self.cancel(rules)
            }
            State::Starting if self.running => self.fail(End::Late),
            _ => Effects::NONE,
        }
    }

    pub(super) fn silent(&mut self) -> Effects {
        match self.state {
            State::Starting | State::Running if self.running || self.returned => {
                self.fail(End::Silent)
            }
            _ => Effects::NONE,
        }
    }

    fn fail(&mut self, end: End) -> Effects {
        self.state = State::Stopping;
        self.end = end;
        self.drop_all().and(Effects::RECORD_TIMEOUT)
    }

    pub(super) fn stop_due(&mut self, rules: Rules) -> Effects {
        let ends = self.state == State::Stopping || self.closing;
        if !ends || self.stage >= StopStage::Aborted || !self.is_alive() {
            return Effects::NONE;
        }
        self.state = State::Stopping;
        self.overdue = self.asked;
        let missed = if rules.owner { Effects::NONE } else { Effects::RECORD_TIMEOUT };
        self.drop_all().and(missed)
    }

    pub(super) fn abort_due(&mut self) -> Effects {
        let aborted = self.state == State::Stopping && self.stage == StopStage::Aborted;
        if !aborted || !self.is_alive() || self.unresponsive || self.kept > 0 {
            return Effects::NONE;
        }
        self.give_up()
    }

    pub(super) fn give_up(&mut self) -> Effects {
        self.unresponsive = true;
        self.next = false;
        self.awaited = false;
        Effects::GIVE_UP
    }
}
