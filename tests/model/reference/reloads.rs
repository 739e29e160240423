//! Reload requests: who has asked is answered by the service, by its end, or because it waits for none.

use startstop_core::{Cause, Phase, State};

use super::{Answer, Reference};
use crate::model::script::End;

/// Requests that are one.
#[derive(Debug, Default)]
pub(super) struct Round {
    calls: Vec<usize>,
    /// The service waited when it came, or has done so: it is for whoever looks next.
    handed: bool,
    /// The service has taken it, and answers then.
    taken: Option<u64>,
}

impl Reference {
    pub(in crate::model) fn reload(&mut self, call: Option<usize>) {
        let runs = match self.state {
            State::Starting => true,
            State::Running => self.attempt.run.is_some(),
            _ => false,
        };
        if !runs {
            self.answers
                .extend(call.map(|call| (call, Answer::Stopped)));
            return;
        }
        if self
            .reloads
            .last()
            .is_none_or(|round| round.taken.is_some())
        {
            self.reloads.push(Round::default());
        }
        let handed = self.state == State::Running && self.attempt.script.reload.is_some();
        if let Some(last) = self.reloads.last_mut() {
            last.calls.extend(call);
            last.handed |= handed;
        }
    }

    /// When the service answers the one that it has taken.
    pub(super) fn reload_ends(&self) -> Option<u64> {
        self.attempt.run.and(self.reloads.first()?.taken)
    }

    /// The service looks whether there is a request, where it is polled and does not return; whether there was.
    pub(super) fn look_at_reloads(&mut self) -> bool {
        let running = self.state == State::Running;
        let stays = self
            .attempt
            .run
            .is_some_and(|run| run.ends.is_none_or(|(at, _)| at > self.now));
        let Some(round) = self
            .reloads
            .first_mut()
            .filter(|round| round.taken.is_none())
        else {
            return false;
        };
        match self.attempt.script.reload {
            Some(how) if stays && (running || round.handed) => {
                round.taken = Some(self.now + how.after);
                if how.after == 0 {
                    self.answer_reload();
                }
            }
            None if running && self.attempt.run.is_some() => {
                self.answer_first(Answer::NotSupported);
            }
            _ => return false,
        }
        true
    }

    pub(super) fn answer_reload(&mut self) {
        let answer = match self.attempt.script.reload.map(|how| how.end) {
            // A failed reload is recorded as a report is.
            Some(End::Fail) => Answer::Failed(self.record(Phase::Run, Cause::Reported)),
            _ => Answer::Ok,
        };
        self.answer_first(answer);
    }

    fn answer_first(&mut self, answer: Answer) {
        let round = self.reloads.remove(0);
        self.answers
            .extend(round.calls.into_iter().map(|call| (call, answer)));
    }

    /// The attempt has ended before the answer.
    pub(super) fn end_reloads(&mut self) {
        while !self.reloads.is_empty() {
            self.answer_first(Answer::Stopped);
        }
    }

    pub(super) fn give_up_reload(&mut self, call: usize) {
        for round in &mut self.reloads {
            round.calls.retain(|other| *other != call);
        }
    }

    pub(super) fn waiting_for_reloads(&self) -> usize {
        self.reloads.iter().map(|round| round.calls.len()).sum()
    }
}
