//! What others ask for: a start, a restart, a stop.

use super::{Effects, End, Lifecycle, Rules, ShutdownCall, StopStage};
use crate::report::state::State;

impl Lifecycle {
    pub(super) fn start(&mut self, rules: Rules) -> Effects {
        match self.state {
            State::Stopped => self.begin_cycle(),
            // A job that has completed, and whose end is not settled yet: nobody would answer it later.
            State::Starting if self.ready => Effects::STARTED,
            State::Starting => {
                // Whoever joins an attempt of a policy is a pending start in the backoff after it.
                self.awaited = true;
                Effects::NONE
            }
            State::Running => self.replace(rules),
            State::Backoff if self.awaited => Effects::NONE,
            State::Backoff => {
                self.awaited = true;
                self.backoff_over()
            }
            State::Stopping => self.queue(),
        }
    }

    pub(super) fn ensure(&mut self, rules: Rules) -> Effects {
        match self.state {
            State::Running => Effects::NONE,
            _ => self.start(rules),
        }
    }

    pub(super) fn restart(&mut self, rules: Rules) -> Effects {
        match self.state {
            State::Stopped => self.begin_cycle(),
            State::Starting | State::Running | State::Backoff => self.replace(rules),
            State::Stopping => self.queue(),
        }
    }

    /// Stops this cycle and has a new one follow it.
    fn replace(&mut self, rules: Rules) -> Effects {
        self.next = true;
        self.awaited = true;
        self.begin_stop(rules)
    }

    /// Has a new cycle follow the one that ends; after a verdict there is no telling when.
    fn queue(&mut self) -> Effects {
        if self.unresponsive {
            return Effects::NONE;
        }
        self.next = true;
        self.awaited = true;
        self.asked = true;
        Effects::NONE
    }

    pub(super) fn stop(&mut self, rules: Rules) -> Effects {
        let effects = match self.state {
            State::Stopped => return Effects::NONE,
            State::Starting | State::Running | State::Backoff => self.begin_stop(rules),
            State::Stopping if rules.aborts && self.stage != StopStage::Draining => {
                return self.abort(rules);
            }
            State::Stopping => Effects::NONE,
        };
        effects.and(self.unstart())
    }

    pub(super) fn stop_now(&mut self, rules: Rules) -> Effects {
        let effects = match self.state {
            State::Stopped => return Effects::NONE,
            State::Starting | State::Running | State::Backoff => self.tell_to_stop(rules),
            State::Stopping if self.stage == StopStage::Draining => self.drain_over(rules),
            State::Stopping => return self.stop(rules),
        };
        effects.and(self.unstart())
    }

    /// The service goes on for now; who looks at it looks away.
    pub(super) fn drain(&mut self) -> Effects {
        if self.state != State::Running || !self.running || self.stage != StopStage::Alive {
            return Effects::NONE;
        }
        self.stage = StopStage::Draining;
        Effects::DRAIN
    }

    /// Cancels what was asked for before a stop.
    fn unstart(&mut self) -> Effects {
        self.asked = true;
        self.next = false;
        self.awaited = false;
        Effects::CANCEL_STARTS
    }

    pub(super) fn abort(&mut self, rules: Rules) -> Effects {
        let effects = match self.state {
            State::Stopped => return Effects::NONE,
            State::Starting | State::Running | State::Backoff => self.abort_what_runs(rules),
            State::Stopping if self.is_alive() && self.stage < StopStage::Aborted => {
                self.drop_at_once()
            }
            State::Stopping => {
                // Aborted already; no `shutdown` follows any more.
                if self.shutdown_call == ShutdownCall::Idle {
                    self.shutdown_call = ShutdownCall::Done;
                }
                Effects::NONE
            }
        };
        effects.and(self.unstart())
    }

    pub(super) fn abort_what_runs(&mut self, rules: Rules) -> Effects {
        if self.closing {
            self.state = State::Stopping;
            self.asked = true;
            return self.drop_all();
        }
        if !self.is_alive() {
            return self.wind_down(rules);
        }
        self.state = State::Stopping;
        self.end = End::Asked;
        self.asked = true;
        self.drop_at_once()
    }
}
