//! Requests: the table of the contract, a row for each function.

use startstop_core::{Cause, Exit, Phase, State};

use super::attempt::{AbortedBy, Asked, Attempt, Hook, StopStage, Why};
use super::{Answer, Reference, View};
use crate::model::plan::NEVER;

impl Reference {
    /// `start` and `start_with`; without a call it is `request_start`.
    pub(in crate::model) fn start(&mut self, call: Option<usize>, parent: Option<usize>) {
        // Open: whether a start that is refused takes the place of the parent. It does not.
        if parent.is_some_and(|parent| self.cancelled.contains(&parent)) {
            return self.refuse(call);
        }
        self.parent = parent;
        match self.state {
            State::Running => self.replace(call),
            _ => self.start_what_does_not_run(call),
        }
    }

    pub(in crate::model) fn ensure_running(&mut self, call: usize) {
        match self.state {
            State::Running => self.answers.push((call, Answer::Ok)),
            // Open: whether it keeps the parent, as a restart does. It does.
            _ if self.is_cancelled() => self.refuse(Some(call)),
            _ => self.start_what_does_not_run(Some(call)),
        }
    }

    pub(in crate::model) fn restart(&mut self, call: Option<usize>) {
        if self.is_cancelled() {
            return self.refuse(call);
        }
        match self.state {
            State::Stopped | State::Stopping => self.start_what_does_not_run(call),
            State::Starting | State::Running | State::Backoff => self.replace(call),
        }
    }

    /// The last handle is dropped.
    pub(in crate::model) fn leave(&mut self) {
        self.left = true;
        self.stop(None, None);
    }

    fn is_cancelled(&self) -> bool {
        self.parent
            .is_some_and(|parent| self.cancelled.contains(&parent))
    }

    fn refuse(&mut self, call: Option<usize>) {
        match call {
            Some(call) => self.answers.push((call, Answer::Cancelled)),
            // "What becomes of it is in status and history." Open: as what, and for how long it had run.
            None => drop(self.note(0, Phase::Run, Cause::Error)),
        }
    }

    fn start_what_does_not_run(&mut self, call: Option<usize>) {
        self.calls.starts.extend(call);
        match self.state {
            State::Stopped => self.begin_cycle(),
            State::Stopping => {
                // Open: a start while `run`, which has ended by itself, is cleaned up, counts as asking
                // for its end.
                self.attempt.asked = Asked::NewCycle;
            }
            State::Backoff if !self.calls.awaited => self.set_state(State::Starting),
            _ => {}
        }
        self.calls.awaited = true;
    }

    fn replace(&mut self, call: Option<usize>) {
        self.calls.starts.extend(call);
        self.calls.awaited = true;
        self.attempt.asked = Asked::NewCycle;
        self.begin_stop(None);
    }

    /// `stop` and `stop_within`; without a call it is `request_stop`.
    pub(in crate::model) fn stop(&mut self, call: Option<usize>, within: Option<u64>) {
        if self.state == State::Stopped {
            self.answers.extend(call.map(|call| (call, Answer::Ok)));
            return;
        }
        self.calls.stops.extend(call);
        self.answer_starts(Answer::Stopped);
        self.attempt.asked = Asked::Stop;
        if self.state == State::Stopping {
            self.join_stop(within);
        } else {
            self.begin_stop(within);
        }
    }

    fn begin_stop(&mut self, within: Option<u64>) {
        let drains = self.state == State::Running && self.plan.drain > 0;
        self.set_state(State::Stopping);
        self.attempt.why = Some(Why::Asked);
        if !self.attempt.is_alive() {
            return;
        }
        self.attempt.limited = within.is_some();
        match within {
            Some(0) => self.abort_at_once(),
            _ if drains => {
                self.attempt.stage = StopStage::Drain(self.now + self.plan.drain);
                self.limit_drain(within);
            }
            None if self.plan.stop_timeout == 0 => self.abort_at_once(),
            _ => {
                self.stop_by(
                    self.now
                        .saturating_add(within.unwrap_or(self.plan.stop_timeout)),
                );
                self.cancel();
            }
        }
    }

    fn join_stop(&mut self, within: Option<u64>) {
        if !self.attempt.is_alive() || self.attempt.stage == StopStage::Abort {
            return;
        }
        self.attempt.limited &= within.is_some();
        match within {
            Some(0) => self.abort_at_once(),
            _ if self.attempt.drain_ends().is_some() => self.limit_drain(within),
            None if self.plan.stop_timeout == 0 => self.abort_at_once(),
            _ => self.stop_by(
                self.now
                    .saturating_add(within.unwrap_or(self.plan.stop_timeout)),
            ),
        }
    }

    /// A limit holds for the drain as well, half of it at most; without one, `stop_timeout` follows the drain.
    fn limit_drain(&mut self, within: Option<u64>) {
        let end = self.attempt.drain_ends().unwrap_or(self.now);
        let Some(within) = within else {
            return self.stop_by(end.saturating_add(self.plan.stop_timeout));
        };
        let half = self.now.saturating_add(within.div_ceil(2));
        self.attempt.stage = StopStage::Drain(end.min(half));
        self.stop_by(self.now.saturating_add(within));
    }

    fn stop_by(&mut self, deadline: u64) {
        let stop_at = self.attempt.stop_at.unwrap_or(NEVER);
        self.attempt.stop_at = Some(stop_at.min(deadline));
    }

    /// The drain is over, or `run` has ended in it.
    pub(super) fn end_drain(&mut self) {
        if self.attempt.limited {
            return self.cancel();
        }
        match self.plan.stop_timeout {
            0 if self.attempt.is_alive() => self.abort_at_once(),
            0 => self.attempt.tell(self.now),
            timeout => {
                self.stop_by(self.now.saturating_add(timeout));
                self.cancel();
            }
        }
    }

    fn abort_at_once(&mut self) {
        self.attempt.aborted_by = Some(AbortedBy::Request);
        self.attempt.abort();
    }

    /// The context is cancelled, and `shutdown` is to be called.
    pub(super) fn cancel(&mut self) {
        self.attempt.hook = if self.plan.hooked {
            Hook::Due
        } else {
            Hook::Done
        };
        self.attempt.tell(self.now);
    }

    pub(in crate::model) fn wait(&mut self, call: usize) {
        match self.state {
            State::Stopped => self.answers.push((call, Answer::Exit(self.exit))),
            _ => self.calls.ends.push(call),
        }
    }

    pub(in crate::model) fn wait_for(&mut self, call: usize, state: State) {
        if self.state == state {
            self.answers.push((call, Answer::Seen));
        } else {
            self.calls.states.push((call, state));
        }
    }

    pub(in crate::model) fn cancel_parent(&mut self, parent: usize) {
        let new = !self.cancelled.contains(&parent);
        self.cancelled.push(parent);
        if new && self.parent == Some(parent) {
            self.stop(None, None);
        }
    }

    /// The future of a call that waits is dropped; what it has asked for goes on.
    pub(in crate::model) fn give_up(&mut self, call: usize) {
        self.answers.retain(|(other, _)| *other != call);
        self.calls.starts.retain(|other| *other != call);
        self.calls.stops.retain(|other| *other != call);
        self.calls.ends.retain(|other| *other != call);
        self.calls.states.retain(|(other, _)| *other != call);
        self.give_up_reload(call);
    }

    /// How many calls wait.
    pub(in crate::model) fn waiting(&self) -> usize {
        let Self { calls, .. } = self;
        let others = calls.starts.len() + calls.stops.len() + calls.ends.len() + calls.states.len();
        others + self.waiting_for_reloads()
    }

    /// The runtime ends, and with it those who wait; whether a cycle that was to follow is lost.
    pub(in crate::model) fn end_runtime(&mut self) -> bool {
        self.calls = super::Calls::default();
        self.reloads.clear();
        if self.state == State::Stopped {
            self.now = 0;
            return false;
        }
        self.record_at(0, Phase::Run, Cause::Aborted);
        self.ran = None;
        self.exit = Exit::Aborted;
        self.done = false;
        self.set_state(State::Stopped);
        let lost = self.attempt.asked == Asked::NewCycle;
        self.attempt = Attempt::default();
        self.now = 0;
        lost
    }

    /// Takes over what the contract leaves open.
    pub(in crate::model) fn adopt(&mut self, view: &View) {
        if self.cycle != view.cycles {
            self.attempts_before += self.attempts;
            self.attempts = 0;
        }
        self.cycle = view.cycles;
        self.failures = view.failures;
        self.history.clone_from(&view.history);
        self.last = view.last;
    }
}
