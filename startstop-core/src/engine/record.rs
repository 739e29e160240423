//! The one place where failures are recorded.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{ArmTimer, Deferred, Shared, Synced};
use crate::report::error::Unresponsive;
use crate::report::event::EventKind;
use crate::report::failure::{Failure, Interruption, RawFailure, Record};
use crate::report::state::{Cause, Phase, State};
use crate::rules::lifecycle::End;
use crate::sync::clock;

impl Synced {
    /// Records a failure of the service. After its stop has begun it makes that fail, unless it was only
    /// reported.
    pub(crate) fn record(
        &mut self,
        shared: &Shared,
        phase: Phase,
        fault: RawFailure,
        deferred: &mut Deferred,
    ) -> Failure {
        let counts = self.life.is_asked() && fault.cause != Cause::Reported;
        let failure = self.note(shared, phase, fault, deferred);
        if counts {
            deferred.drop_failure(self.rare().after_stop.replace(failure.clone()));
        }
        failure
    }

    /// Puts a failure into the history, whatever it is of. It is there before the state changes.
    pub(crate) fn note(
        &mut self,
        shared: &Shared,
        phase: Phase,
        fault: RawFailure,
        deferred: &mut Deferred,
    ) -> Failure {
        let now = deferred.now();
        let failure = Failure::new(Record {
            error: fault.error,
            phase,
            cause: fault.cause,
            permanent: fault.permanent,
            task: fault.task,
            checkpoint: self.checkpoint(now),
            service: self.shared_name(shared),
            path: self.path(shared),
            cycle: self.cycle,
            attempt: self.attempt(),
            at: SystemTime::now(),
            uptime: self.attempt_time(now),
            limit: None,
            filed: None,
        });
        self.file(shared, failure.clone(), deferred);
        failure
    }

    /// Puts a failure of a part into the history too, as it is there.
    pub(crate) fn note_of_part(
        &mut self,
        shared: &Shared,
        failure: &Failure,
        deferred: &mut Deferred,
    ) {
        self.file(shared, failure.filed_in(self.cycle), deferred);
    }

    fn file(&mut self, shared: &Shared, failure: Failure, deferred: &mut Deferred) {
        self.tell(deferred, || EventKind::Failed(failure.clone()));
        let capacity = shared.settings.history_capacity();
        let evicted = self.rare().history.push(failure.clone(), capacity);
        for failure in evicted {
            deferred.drop_failure(Some(failure));
        }
        deferred.drop_failure(self.rare().last.replace(failure));
        shared.atomic_state.write(shared.atomic_state.read().with_failed(true));
    }

    /// Records the failure that ends the attempt.
    pub(super) fn record_end(
        &mut self,
        shared: &Shared,
        phase: Phase,
        fault: RawFailure,
        deferred: &mut Deferred,
    ) {
        let failure = self.record(shared, phase, fault, deferred);
        deferred.drop_failure(self.rare().ended_by.replace(failure));
    }

    /// What is still there, `run` before the others.
    pub(super) fn what_is_left(&self) -> Phase {
        self.life.alive_parts().first().copied().unwrap_or(Phase::Run)
    }

    /// Records that a deadline has passed.
    pub(super) fn record_missed(&mut self, shared: &Shared, deferred: &mut Deferred) {
        let part = self.what_is_left();
        // Else it is the deadline of the `shutdown` that follows such an attempt.
        let ending = Some(self.life.end()).filter(|_| self.is_start_or_watch_due());
        let missed = match ending {
            Some(End::Late) => Interruption::StartTimedOut { after: self.start_allowance(shared) },
            Some(End::Silent) => {
                Interruption::Silent { after: shared.settings.watchdog().unwrap_or_default() }
            }
            _ => {
                let waited = if self.life.is_asked() {
                    // The whole that it is a part of may have had less time.
                    let until = self.stop_at.min(deferred.now());
                    clock::between(self.told_at(shared), until)
                } else {
                    shared.settings.stop_timeout()
                };
                let missed = Interruption::StopTimedOut { after: waited };
                self.record(shared, part, RawFailure::interruption(missed), deferred);
                return;
            }
        };
        self.record_end(shared, part, RawFailure::interruption(missed), deferred);
    }

    /// A deadline that a whole has missed, if that is what ends its attempt and nothing tells of it yet; with how long it had.
    pub(crate) fn missed_by_whole(&self, shared: &Shared) -> Option<(End, Duration)> {
        let rare = self.rare.as_ref();
        if self.life.end() == End::Late {
            let open = rare.is_none_or(|rare| rare.ended_by.is_none());
            return open.then(|| (End::Late, shared.settings.start_timeout()));
        }
        let open = self.life.is_overdue() && rare.is_none_or(|rare| !rare.told_late);
        let until = self.stop_at.min(clock::now());
        open.then(|| (End::Asked, clock::between(self.told_at(shared), until)))
    }

    /// Records who was late in a whole.
    pub(crate) fn record_late(
        &mut self,
        shared: &Shared,
        fault: RawFailure,
        deferred: &mut Deferred,
    ) {
        if self.life.end() == End::Late {
            self.record_end(shared, Phase::Run, fault, deferred);
        } else {
            self.rare().told_late = true;
            self.record(shared, Phase::Run, fault, deferred);
        }
    }

    /// Records that a whole has missed a deadline, where nobody was left who could tell of its members.
    pub(super) fn record_untold(&mut self, shared: &Shared, deferred: &mut Deferred) {
        if !shared.rules().owner {
            return;
        }
        let missed = match self.missed_by_whole(shared) {
            Some((End::Late, late)) => Interruption::StartTimedOut { after: late },
            Some((_, late)) => Interruption::StopTimedOut { after: late },
            None => return,
        };
        self.record_late(shared, RawFailure::interruption(missed), deferred);
    }

    /// The start has failed, and is rolled back: it is not late from now on.
    pub(crate) fn end_start(&mut self, shared: &Shared, deferred: &mut Deferred) {
        if self.state() == State::Starting {
            self.rare().start_over = true;
            self.arm(shared, ArmTimer::Now, deferred);
        }
    }

    /// Records that what is left does not yield.
    pub(super) fn record_verdict(
        &mut self,
        shared: &Shared,
        deferred: &mut Deferred,
    ) -> Unresponsive {
        let unresponsive = self.stuck_parts(shared);
        let part = unresponsive.parts().first().copied().unwrap_or(Phase::Run);
        let waited = shared.settings.abort_timeout();
        let fault = Interruption::Unresponsive { part, after: waited };
        self.record(shared, part, RawFailure::interruption(fault), deferred);
        self.rare().unresponsive = Some(unresponsive.clone());
        unresponsive
    }

    /// What is still there, and for how long it has been told to end.
    pub(crate) fn stuck_parts(&mut self, shared: &Shared) -> Unresponsive {
        let asked_at = shared.atomic_state.read().since();
        let now = clock::now();
        let waited = clock::between(asked_at, now);
        let path = self.path(shared);
        let rare = self.rare.as_ref();
        let names = rare.map(|rare| rare.tasks.names()).unwrap_or_default();
        let below = rare.map(|rare| rare.stuck_below.clone()).unwrap_or_default();
        Unresponsive::new(shared.name(), &self.life.alive_parts(), waited)
            .of(path.as_str(), below)
            .with_tasks(names)
            .with_checkpoint(self.checkpoint(now))
    }

    /// Notes who does not yield in a part of attempt `epoch`: the leaves, by their paths.
    pub(crate) fn note_stuck(&mut self, epoch: u64, unresponsive: &Unresponsive) {
        if self.attempts != epoch {
            return;
        }
        let below = &mut self.rare().stuck_below;
        match unresponsive.members() {
            [] => below.push(unresponsive.own_path().into()),
            members => below.extend_from_slice(members),
        }
    }

    /// Records that the limit forbids a restart: with the failure that ended the attempt, or as one of
    /// its own if the attempt ended well. A later failure, of a task or of a drop, says so too, for it is
    /// the last.
    pub(super) fn record_limit(
        &mut self,
        shared: &Shared,
        max: u32,
        window: Duration,
        deferred: &mut Deferred,
    ) {
        if self.rare().ended_by.is_none() {
            let fault = RawFailure::interruption(Interruption::RestartLimit);
            self.record_end(shared, Phase::Run, fault, deferred);
        }
        let Some(rare) = &mut self.rare else { return };
        let (Some(ended_by), Some(last)) = (rare.ended_by.take(), rare.last.take()) else { return };
        let marked = ended_by.at_limit(max, window);
        rare.history.replace(&ended_by, &marked);
        rare.last = Some(if last.is_same(&ended_by) {
            marked.clone()
        } else {
            let later = last.at_limit(max, window);
            rare.history.replace(&last, &later);
            later
        });
        rare.ended_by = Some(marked);
        deferred.drop_failure(Some(ended_by));
        deferred.drop_failure(Some(last));
    }

    /// How long the attempt has been going on; zero if there is none.
    fn attempt_time(&self, now: u64) -> Duration {
        let between = match self.state() {
            State::Stopped | State::Backoff => true,
            State::Starting => !self.life.is_alive() && self.life.end() == End::None,
            State::Running | State::Stopping => self.attempt() == 0,
        };
        if between { Duration::ZERO } else { clock::between(self.began_at, now) }
    }

    fn shared_name(&mut self, shared: &Shared) -> Arc<str> {
        Arc::clone(self.rare().name.get_or_insert_with(|| shared.name().into()))
    }
}
