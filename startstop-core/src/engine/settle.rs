//! The driver's part: what it does next, and what follows the end of an attempt.

use std::sync::atomic::Ordering;
use std::task::Waker;
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};

use super::apply::Shown;
use super::driver_step::{DriverStep, RetryAnswer};
use super::stop_terms::{LateRecord, StopTerms};
use super::{
    ArmTimer, Deferred, Ending, Shared, Synced, deadline, ended, listeners, owners, policy, record,
    reload,
};
use crate::engine::waiters::{Answer, Topic};
use crate::report::failure::{Interruption, RawFailure};
use crate::report::state::{Exit, Phase, Readiness, State};
use crate::rules::lifecycle::{End, Input, RunEnd};
use crate::sync::clock;

impl Synced {
    /// Tells the driver with this number what to do.
    #[inline]
    pub(crate) fn next_step(
        &mut self,
        shared: &Shared,
        id: u32,
        waker: &Waker,
        deferred: &mut Deferred,
    ) -> DriverStep {
        if !self.is_driven_by(id) {
            return DriverStep::Leave;
        }
        if !self
            .driver
            .waker
            .as_ref()
            .is_some_and(|old| old.will_wake(waker))
        {
            deferred.drop_waker(self.driver.waker.replace(waker.clone()));
        }
        if self.life.is_over() {
            // User code, which may block.
            if let Some(endings) = self.take_endings() {
                self.step(shared, Input::Closing, ArmTimer::ByLook, deferred);
                return DriverStep::Close(endings);
            }
            if let Some((predicate, failure)) = policy::open_question(self, shared) {
                self.step(shared, Input::Closing, ArmTimer::ByLook, deferred);
                return DriverStep::AskPolicy(predicate, failure);
            }
            deferred.driver = None;
            return DriverStep::Settle;
        }
        self.step_of_state(shared, id, deferred)
    }

    /// Settles the attempt, if it is over with the part that has ended, for the driver with this number: what comes next.
    /// User code that is still to be called at the end takes another look.
    #[inline]
    pub(crate) fn step_after_part(
        &mut self,
        shared: &Shared,
        id: u32,
        deferred: &mut Deferred,
    ) -> DriverStep {
        if self.is_driven_by(id) && self.life.is_over() {
            if self.has_endings() || policy::open_question(self, shared).is_some() {
                deferred.driver = None;
                return DriverStep::Wait;
            }
            self.settle(shared, deferred);
        }
        self.step_of_state(shared, id, deferred)
    }

    fn step_of_state(&mut self, shared: &Shared, id: u32, deferred: &mut Deferred) -> DriverStep {
        // It is here already and needs no wake-up.
        deferred.driver = None;
        match self.state() {
            _ if !self.is_driven_by(id) => DriverStep::Leave,
            State::Starting if !self.life.is_alive() => self.enter(shared, deferred),
            State::Backoff => {
                let due = self.deadline.next_attempt();
                DriverStep::Pause((due > deferred.now()).then_some(due))
            }
            State::Stopped => {
                self.driver_gone(deferred);
                DriverStep::Leave
            }
            _ if self.life.is_shutdown_call_due() => {
                self.take_shutdown_call(shared);
                DriverStep::ShutdownCall(shared.attempts())
            }
            State::Starting | State::Running | State::Stopping => {
                deadline::on_polled(self, deferred);
                DriverStep::Wait
            }
        }
    }

    /// Takes on the call of `shutdown`, if it is due: where it runs, and for which attempt.
    pub(crate) fn claim_shutdown(&mut self, shared: &Shared) -> Option<(Handle, u64)> {
        if !self.life.is_shutdown_call_due() {
            return None;
        }
        let on = self.on.handle().cloned()?;
        self.take_shutdown_call(shared);
        Some((on, shared.attempts()))
    }

    fn take_shutdown_call(&mut self, shared: &Shared) {
        self.life.step(Input::ShutdownCallTaken, shared.rules());
    }

    pub(crate) fn is_driven_by(&self, id: u32) -> bool {
        self.driver.is_there && self.driver.id == id
    }

    fn enter(&mut self, shared: &Shared, deferred: &mut Deferred) -> DriverStep {
        self.attempts_of_cycle = self.attempts_of_cycle.saturating_add(1);
        self.announced = false;
        self.stop_at = clock::NEVER;
        self.why = None;
        self.began_at = deferred.now();
        let epoch = shared.stop_stage.begin();
        let again = self.attempts_of_cycle > 1;
        if let Some(cold) = self.cold.get_mut() {
            cold.retry = None;
            cold.healthy = 0;
            cold.stop = StopTerms::default();
            cold.late = LateRecord::None;
            cold.is_owner = false;
            if let Some(rare) = cold.rare.get_mut() {
                if again {
                    rare.retries.make().made();
                }
                deferred.drop_failure(rare.ended_by.take());
                rare.stuck_below.take();
                rare.said.reset();
            }
        }
        if let Some((_, beat)) = shared.settings.watch() {
            beat.store(0, Ordering::Release);
        }
        listeners::forget_unreadiness(self);
        self.step(shared, Input::Enter, ArmTimer::Now, deferred);
        if self.has_one_thread() || deferred.is_quiet() {
            DriverStep::Run(epoch)
        } else {
            DriverStep::RunSoon(epoch)
        }
    }

    /// Returns whether the cycle runs on a single thread: what blocks the service blocks everything there.
    pub(crate) fn has_one_thread(&self) -> bool {
        let flavor = self.on.handle().map(Handle::runtime_flavor);
        flavor.is_none_or(|flavor| flavor == RuntimeFlavor::CurrentThread)
    }

    #[inline]
    fn driver_gone(&mut self, deferred: &mut Deferred) {
        self.driver.is_there = false;
        deferred.drop_waker(self.driver.waker.take());
        self.leave_runtime(deferred);
    }

    /// Settles an attempt that is over and that its driver has not come to look at, since what is to poll it is blocked. Once
    /// that is polled it leaves.
    pub(super) fn settle_without_driver(&mut self, shared: &Shared, deferred: &mut Deferred) {
        if self.life.is_over() {
            self.driver_gone(deferred);
            self.settle(shared, deferred);
        }
    }

    /// The runtime has dropped the driver with this number.
    pub(crate) fn driver_lost(&mut self, shared: &Shared, id: u32, deferred: &mut Deferred) {
        if !self.is_driven_by(id) {
            return;
        }
        self.driver_gone(deferred);
        self.lost(shared, record::what_is_left(self), deferred);
        // It may have entered an attempt and not have called `run` yet.
        self.step(
            shared,
            Input::RunEnded(RunEnd::Dropped),
            ArmTimer::ByCaller,
            deferred,
        );
        if self.life.is_over() {
            self.settle(shared, deferred);
        }
    }

    /// The end of `run`: what it has failed with, and its drop.
    pub(crate) fn run_ended(
        &mut self,
        shared: &Shared,
        mut end: RunEnd,
        [mut failed, mut dropped]: [Option<RawFailure>; 2],
        deferred: &mut Deferred,
    ) {
        if end == RunEnd::Ok && self.leaves_early(shared) {
            end = RunEnd::Failed;
            failed = Some(RawFailure::interruption(Interruption::NotReady));
        }
        if let Some(fault) = failed.take() {
            failed = record::of_part(self, shared, Phase::Run, fault, deferred);
            if failed.is_none() {
                end = RunEnd::Dropped;
            }
        }
        // After an abort, what is left to fail is a destructor, and that ends nothing.
        if end == RunEnd::Failed {
            if let Some(fault) = failed.take().or_else(|| dropped.take()) {
                record::end(self, shared, Phase::Run, fault, deferred);
            }
        }
        for fault in failed.into_iter().chain(dropped) {
            record::failure(self, shared, Phase::Run, fault, deferred);
        }
        self.step(shared, Input::RunEnded(end), ArmTimer::IfNew, deferred);
    }

    /// Returns whether a `run` that returns now has never been ready, and was not told to stop. An owner may: its parts have
    /// completed.
    fn leaves_early(&self, shared: &Shared) -> bool {
        let starts = self.state() == State::Starting && self.life.end() == End::None;
        let owner = self.cold.get().is_some_and(|cold| cold.is_owner);
        starts && !owner && shared.settings.readiness() == Readiness::Explicit
    }

    /// A part was dropped that nobody had aborted: the runtime has ended.
    pub(crate) fn lost(&mut self, shared: &Shared, phase: Phase, deferred: &mut Deferred) {
        if self.life.is_lost() || self.state() == State::Stopped {
            return;
        }
        if !self.life.is_asked() {
            self.stop_at = clock::later(deferred.now(), shared.settings.stop_timeout());
        }
        let fault = RawFailure::interruption(Interruption::RuntimeEnded);
        record::end(self, shared, phase, fault, deferred);
        self.step(shared, Input::Lost, ArmTimer::ByCaller, deferred);
        self.waiters
            .wake_without_answer(Topic::OUTCOMES, &mut deferred.wakes);
    }

    /// Returns whether anything is to be done at the end of the attempt.
    fn has_endings(&self) -> bool {
        let endings = self.rare().and_then(|rare| rare.endings.get());
        endings.is_some_and(|endings| !endings.is_empty())
    }

    /// Takes what is to be done at the end of the attempt, if there is anything.
    pub(super) fn take_endings(&mut self) -> Option<Vec<Ending>> {
        self.rare_mut()?.endings.get_mut()?.take()
    }

    /// Notes what the predicate has said, and its panic.
    pub(crate) fn answered(
        &mut self,
        shared: &Shared,
        answer: RetryAnswer,
        fault: Option<RawFailure>,
        deferred: &mut Deferred,
    ) {
        self.cold().retry = Some(answer);
        self.closed(shared, fault.into_iter().collect(), deferred);
    }

    /// Notes that what was to be done at the end of the attempt is done, or has failed.
    pub(crate) fn closed(
        &mut self,
        shared: &Shared,
        faults: Vec<RawFailure>,
        deferred: &mut Deferred,
    ) {
        for fault in faults {
            record::failure(self, shared, Phase::Run, fault, deferred);
        }
        self.step(shared, Input::Closed, ArmTimer::ByCaller, deferred);
    }

    /// Settles an attempt that is over.
    pub(super) fn settle(&mut self, shared: &Shared, deferred: &mut Deferred) {
        record::untold(self, shared, deferred);
        match policy::next_delay(self, shared, deferred) {
            Some(delay) => self.begin_backoff(shared, delay, deferred),
            None => self.end_cycle(shared, deferred),
        }
    }

    fn begin_backoff(&mut self, shared: &Shared, delay: Duration, deferred: &mut Deferred) {
        let was_up = self.life.was_ready();
        let rare = self.cold();
        rare.was_up = was_up;
        rare.started |= was_up;
        self.life.step(Input::Retry, shared.rules());
        deadline::arm(self, shared, ArmTimer::ByCaller, deferred);
        self.deadline
            .begin_backoff(clock::later(deferred.now(), delay));
        reload::end_all(self, deferred);
        self.publish(shared, deferred);
        self.close_attempt(shared, deferred);
        self.why = None;
    }

    fn end_cycle(&mut self, shared: &Shared, deferred: &mut Deferred) {
        if self.life.has_next() && (owners::is_going_down(self) || self.is_down_for_good()) {
            // Whoever has told it to stop for the owner does not look at it again, or would have to do so for ever.
            self.step(shared, Input::Stop, ArmTimer::ByCaller, deferred);
        }
        let failed = self.rare().is_some_and(|rare| rare.after_stop.is_some());
        self.exit = match self.life.exit() {
            exit if failed && exit.is_success() => Exit::Failed,
            exit => exit,
        };
        if let Some(ended) = ended::ends(self) {
            let old = std::mem::replace(&mut self.cold().ended, ended);
            deferred.drop_failure(old.failure);
        }
        let (outcome, start_error) = (ended::stop_outcome(self), ended::start_error(self));
        let has_next = self.life.has_next();
        let job = shared.settings.readiness() == Readiness::Completion;
        let is_ready = job && self.exit == Exit::Completed;
        self.life.step(Input::Finish, shared.rules());
        self.show_stopped(
            shared,
            Shown {
                state: State::Stopped,
                is_ready,
            },
            deferred,
        );
        self.waiters
            .answer(Topic::Stop, &outcome.into(), &mut deferred.wakes);
        self.waiters
            .answer(Topic::End, &Answer::End(self.exit), &mut deferred.wakes);
        if has_next {
            self.begin_cycle(deferred);
            self.publish(shared, deferred);
            self.drive(deferred);
            return;
        }
        self.waiters
            .answer(Topic::Rest, &Answer::Seen, &mut deferred.wakes);
        if shared.is_abandoned() {
            listeners::end_streams(self, deferred);
        }
        owners::leave(self, deferred);
        let answer = Answer::from(start_error);
        self.waiters
            .answer(Topic::Start, &answer, &mut deferred.wakes);
        self.leave_runtime(deferred);
    }

    /// Shows that the cycle has ended, even where the next one begins under the same lock.
    fn show_stopped(&mut self, shared: &Shared, shown: Shown, deferred: &mut Deferred) {
        reload::end_all(self, deferred);
        self.publish_state(shared, shown, deferred);
        self.close_attempt(shared, deferred);
        deadline::arm(self, shared, ArmTimer::ByCaller, deferred);
    }
}
