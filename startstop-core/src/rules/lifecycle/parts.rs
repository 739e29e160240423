//! What the parts of an attempt do: `run`, `shutdown`, and those beside them.

use super::{Effects, End, Lifecycle, Part, Rules, RunEnd, ShutdownCall, StopStage};
use crate::report::state::{Readiness, State};

impl Lifecycle {
    pub(super) fn enter(&mut self, rules: Rules) -> Effects {
        if self.state != State::Starting || self.running || self.end != End::None {
            return Effects::NONE;
        }
        self.running = true;
        match rules.readiness {
            Readiness::Immediate => self.become_ready(),
            Readiness::Explicit | Readiness::Completion => Effects::TIMER,
        }
    }

    pub(super) fn explicitly_ready(&mut self, rules: Rules) -> Effects {
        let explicit = rules.readiness == Readiness::Explicit;
        match self.state {
            State::Starting if explicit && self.running => self.become_ready(),
            _ => Effects::NONE,
        }
    }

    fn become_ready(&mut self) -> Effects {
        self.state = State::Running;
        self.count_as_ready().and(Effects::TIMER)
    }

    fn count_as_ready(&mut self) -> Effects {
        self.ready = true;
        self.awaited = false;
        Effects::STARTED
    }

    pub(super) fn run_ended(&mut self, end: RunEnd, rules: Rules) -> Effects {
        if !self.running {
            return Effects::NONE;
        }
        self.running = false;
        let effects = match self.end {
            End::None if end == RunEnd::Ok && self.is_a_job_with_tasks(rules) => {
                self.returned = true;
                return Effects::NONE;
            }
            End::None => self.end_by_itself(end, rules),
            // Whatever the drain was for is gone with `run`.
            _ if self.stage == StopStage::Draining && !self.lost => self.end_drain(rules),
            _ => Effects::NONE,
        };
        effects.and(self.look_for_the_end(rules))
    }

    /// Whether what has been spawned is a part of what is to be done.
    fn is_a_job_with_tasks(&self, rules: Rules) -> bool {
        rules.readiness == Readiness::Completion && self.tasks > 0 && !self.lost
    }

    fn end_by_itself(&mut self, end: RunEnd, rules: Rules) -> Effects {
        let end = if self.flawed { RunEnd::Failed } else { end };
        self.end = if end == RunEnd::Ok { End::Completed } else { End::Failed };
        let ready = match end {
            // A start that waits for the next cycle is not answered by this one.
            RunEnd::Ok if !self.ready && !self.next => self.count_as_ready(),
            _ => Effects::NONE,
        };
        self.stage = StopStage::Cancelled;
        let shutdown_call =
            if rules.shutdown_always { self.call_hook(rules) } else { Effects::NONE };
        if self.is_alive() {
            self.state = State::Stopping;
        }
        ready.and(shutdown_call).and(Effects::CANCEL).and(Effects::TIMER)
    }

    pub(super) fn hook_taken(&mut self) -> Effects {
        if self.shutdown_call == ShutdownCall::Due {
            self.shutdown_call = ShutdownCall::Live;
        }
        Effects::NONE
    }

    pub(super) fn hook_ended(&mut self, rules: Rules) -> Effects {
        if self.shutdown_call != ShutdownCall::Live {
            return Effects::NONE;
        }
        self.shutdown_call = ShutdownCall::Done;
        self.look_for_the_end(rules)
    }

    pub(super) fn added(&mut self, part: Part) -> Effects {
        *self.count(part) += 1;
        // One that keeps its own deadline puts off that of an abort.
        if self.stage == StopStage::Aborted { Effects::TIMER } else { Effects::NONE }
    }

    /// The job to which the task belongs has failed, once all of it has ended.
    pub(super) fn task_failed(&mut self, rules: Rules) -> Effects {
        self.flawed |= rules.readiness == Readiness::Completion && self.end == End::None;
        Effects::NONE
    }

    pub(super) fn ended(&mut self, part: Part, rules: Rules) -> Effects {
        let count = self.count(part);
        *count = count.saturating_sub(1);
        let is_last = self.returned && self.tasks == 0;
        let effects = match self.end {
            End::None if is_last && !self.lost => self.end_by_itself(RunEnd::Ok, rules),
            _ => Effects::NONE,
        };
        effects.and(self.look_for_the_end(rules))
    }

    fn count(&mut self, part: Part) -> &mut u32 {
        match part {
            Part::Task => &mut self.tasks,
            Part::Kept => &mut self.kept,
            Part::Held => &mut self.held,
            Part::Stuck => &mut self.stuck,
        }
    }

    pub(super) fn ran_out(&mut self, rules: Rules) -> Effects {
        if self.kept == 0 {
            return Effects::NONE;
        }
        self.kept -= 1;
        self.stuck += 1;
        self.look_for_the_end(rules)
    }

    /// The state stays: hardly ever does it take so long that anybody sees it.
    pub(super) fn begin_closing(&mut self) -> Effects {
        if !self.is_over() {
            return Effects::NONE;
        }
        self.closing = true;
        Effects::TIMER
    }

    pub(super) fn end_closing(&mut self) -> Effects {
        if !std::mem::take(&mut self.closing) {
            return Effects::NONE;
        }
        if self.is_over() { Effects::WAKE_DRIVER } else { Effects::NONE }
    }

    pub(super) fn runtime_lost(&mut self) -> Effects {
        if self.state == State::Stopped || self.lost {
            return Effects::NONE;
        }
        self.lost = true;
        self.state = State::Stopping;
        if self.shutdown_call == ShutdownCall::Due {
            self.shutdown_call = ShutdownCall::Done;
        }
        if self.is_only_stuck() {
            return self.drop_all();
        }
        self.stage = self.stage.max(StopStage::Cancelled);
        Effects::CANCEL.and(Effects::TIMER).and(Effects::WAKE_DRIVER)
    }
}
