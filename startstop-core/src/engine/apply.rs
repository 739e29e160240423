//! One input into the lifecycle, and its effects on the engine.

use std::sync::atomic::Ordering;

use tokio::runtime::Handle;

use super::runs_on::RunsOn;
use super::tasks::Tasks;
use super::{
    ArmTimer, Deferred, Job, Shared, SpawnTarget, Synced, attached, availability, deadline, drain,
    listeners, owners, record, reload, reporting, runtimes, spans,
};
use crate::engine::atomic_state::StateSnapshot;
use crate::engine::waiters::{Answer, Topic};
use crate::report::error::StartError;
use crate::report::event::EventKind;
use crate::report::state::{Readiness, State};
use crate::report::trace::is_traced;
use crate::rules::lifecycle::{Effects, Input, StopStage, Timer};
use crate::sync::clock;

/// The visible part of a service: its state, and whether it is ready in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) state: State,
    pub(super) is_ready: bool,
}

impl Shown {
    /// Returns a snapshot without flags, with those that belong to it now.
    fn flagged(self, mut snapshot: StateSnapshot, synced: &Synced) -> StateSnapshot {
        if self.is_ready {
            snapshot = snapshot.ready();
        }
        if synced.last_failure().is_some() {
            snapshot.failed()
        } else {
            snapshot
        }
    }
}

impl Synced {
    /// Feeds one input to the lifecycle and carries out what belongs under the lock.
    #[inline]
    pub(crate) fn step(
        &mut self,
        shared: &Shared,
        input: Input,
        arm: ArmTimer,
        deferred: &mut Deferred,
    ) {
        let effects = self.life.step(input, drain::rules(self, shared));
        if effects != Effects::NONE {
            self.apply(shared, effects, arm, deferred);
        }
    }

    fn apply(&mut self, shared: &Shared, effects: Effects, arm: ArmTimer, deferred: &mut Deferred) {
        if effects.has(Effects::RECORD_TIMEOUT) {
            record::missed_deadline(self, shared, deferred);
        }
        if effects.has(Effects::BEGIN_CYCLE) && !effects.has(Effects::ENDED) {
            self.begin_cycle(deferred);
        }
        if effects.has(Effects::DRAIN) || effects.has(Effects::CANCEL) {
            listeners::note_why(self);
        }
        self.publish(shared, deferred);
        if effects.has(Effects::DRAIN) {
            listeners::tell(self, deferred, || EventKind::Draining);
            self.show_stop_stage(shared, deferred);
        }
        if effects.has(Effects::CANCEL) {
            self.cancel(shared, deferred);
        }
        if effects.has(Effects::ABORT) {
            listeners::tell(self, deferred, || EventKind::Aborting);
            self.abort(shared, deferred);
        }
        if effects.has(Effects::CALL_SHUTDOWN) {
            self.ask_for_shutdown_call(shared, deferred);
        }
        if effects.has(Effects::STARTED) {
            if let Some(cold) = self.cold.get_mut() {
                cold.started = true;
            }
            self.waiters
                .answer(Topic::Start, &Answer::Done, &mut deferred.wakes);
            reload::hand_out(self, shared, deferred);
        }
        if effects.has(Effects::CANCEL_STARTS) {
            if let Some(rare) = self.rare_mut() {
                rare.next_on = None;
            }
            let answer = Answer::from(StartError::Stopped);
            self.waiters
                .answer(Topic::Start, &answer, &mut deferred.wakes);
        }
        if effects.has(Effects::GIVE_UP) {
            self.give_up(shared, deferred);
        }
        if effects.has(Effects::TIMER) {
            deadline::arm(self, shared, arm, deferred);
        }
        if effects.has(Effects::BEGIN_ATTEMPT) && !effects.has(Effects::ENDED) {
            self.drive(deferred);
        }
        if effects.has(Effects::WAKE_DRIVER) {
            self.wake_driver(deferred);
            if !self.driver.is_there && self.life.is_over() {
                // Invariant 4: nobody else is left to do it.
                self.settle(shared, deferred);
            } else if !deferred.is_by_driver && self.life.timer() == Timer::Settle {
                // What is to poll it may be blocked.
                deadline::arm(self, shared, arm, deferred);
            }
        }
    }

    pub(super) fn begin_cycle(&mut self, deferred: &mut Deferred) {
        self.cycle += 1;
        self.attempts_of_cycle = 0;
        self.announced = false;
        self.stop_at = clock::NEVER;
        self.why = None;
        let Some(cold) = self.cold.get_mut() else {
            return;
        };
        cold.started = false;
        cold.stop.for_good = false;
        let Some(rare) = cold.rare.get_mut() else {
            return;
        };
        deferred.drop_failure(rare.last.take());
        deferred.drop_failure(rare.after_stop.take());
        deferred.drop_failure(rare.ended_by.take());
        rare.unresponsive = None;
        if let Some(retries) = rare.retries.get_mut() {
            retries.forget();
        }
        if listeners::has_lost_all(&mut rare.listeners) {
            self.forget_listening();
        }
    }

    /// Stores the state that the lifecycle is in, and answers those who wait for it.
    #[inline]
    pub(super) fn publish(&mut self, shared: &Shared, deferred: &mut Deferred) {
        let job = shared.rules().readiness == Readiness::Completion;
        let state = self.state();
        let is_ready = match state {
            State::Running => self.is_ready_while_running(shared),
            _ => job && self.life.was_ready(),
        };
        self.publish_state(shared, Shown { state, is_ready }, deferred);
    }

    /// A service that has ended by itself is shown as before until its end is settled: after a drain it is not ready again.
    fn is_ready_while_running(&self, shared: &Shared) -> bool {
        let can_be = match self.life.stage() {
            StopStage::Alive => true,
            StopStage::Draining => false,
            StopStage::Cancelled | StopStage::Aborted => shared.atomic_state.read().is_ready(),
        };
        can_be && !reporting::is_taken_back(self)
    }

    /// Stores a state and answers those who wait for it.
    pub(super) fn publish_state(&mut self, shared: &Shared, shown: Shown, deferred: &mut Deferred) {
        let Shown { state, is_ready } = shown;
        let old = shared.atomic_state.read();
        spans::name(self, shared);
        if old.state() == state {
            listeners::tell_readiness(self, old, shown, deferred);
            shared
                .atomic_state
                .write(shown.flagged(old.without_flags(), self));
            if old.is_ready() != is_ready {
                owners::tell_observers(self, deferred);
            }
            return;
        }
        let now = deferred.now();
        if old.state() == State::Running {
            let healthy = now.saturating_sub(old.since());
            // A paused clock can be made to pass centuries.
            self.ran = self.ran.saturating_add(healthy);
            // Who asks for it: the policy, and the news of the end.
            let asked = shared.settings.restart().is_some() || is_traced();
            if asked {
                self.cold();
            }
            if let Some(cold) = self.cold.get_mut() {
                cold.healthy = healthy;
            }
        }
        if is_ready && !old.is_ready() && state != State::Running {
            listeners::tell_ready(self, deferred);
        }
        listeners::tell_state(self, shared, shown, deferred);
        availability::count_time(self, shared, old.since(), state, now);
        shared
            .atomic_state
            .write(shown.flagged(StateSnapshot::new(state, now), self));
        self.waiters.count_change();
        let seen = |topic| matches!(topic, Topic::Change) || topic == Topic::Enter(state);
        self.waiters
            .answer_where(Topic::STATES, seen, &Answer::Seen, &mut deferred.wakes);
        owners::tell_observers(self, deferred);
    }

    /// Shows the stop stage of the attempt to its contexts.
    fn show_stop_stage(&mut self, shared: &Shared, deferred: &mut Deferred) {
        shared.stop_stage.advance(self.life.stage());
        self.waiters
            .answer(Topic::Drain, &Answer::Seen, &mut deferred.wakes);
        self.wake_driver(deferred);
    }

    /// Ends the contexts of an attempt that is over, whatever they wait for.
    pub(super) fn close_attempt(&mut self, shared: &Shared, deferred: &mut Deferred) {
        shared.stop_stage.close();
        let ended = |topic: Topic| topic.kind() & Topic::STAGES != 0;
        self.waiters
            .answer_where(Topic::STAGES, ended, &Answer::Seen, &mut deferred.wakes);
        // Only if the driver is gone, which would have done it by now.
        if let Some(endings) = self.take_endings() {
            deferred.cold().endings = endings;
        }
        reporting::forget_what_was_said(self);
        spans::close(self, deferred);
        let Some(rare) = self.rare_mut() else { return };
        for token in [&mut rare.token, &mut rare.deadline_token] {
            if let Some(token) = token.take() {
                deferred.cold().tokens.push(token);
            }
        }
    }

    fn cancel(&mut self, shared: &Shared, deferred: &mut Deferred) {
        self.show_stop_stage(shared, deferred);
        self.waiters
            .answer(Topic::Cancel, &Answer::Seen, &mut deferred.wakes);
        if let Some(token) = self.rare_mut().and_then(|rare| rare.token.take()) {
            deferred.cold().tokens.push(token);
        }
        attached::stop_all(self, deferred);
    }

    fn abort(&mut self, shared: &Shared, deferred: &mut Deferred) {
        self.show_stop_stage(shared, deferred);
        self.waiters
            .answer(Topic::Deadline, &Answer::Seen, &mut deferred.wakes);
        attached::abort_all(self, deferred);
        let Some(rare) = self.rare_mut() else { return };
        let rest = deferred.cold();
        rest.tokens.extend(rare.deadline_token.take());
        rest.aborts.extend(rare.shutdown_call.take());
        let tasks = rare.tasks.get_mut();
        rest.aborts
            .extend(tasks.into_iter().flat_map(Tasks::take_handles));
    }

    /// `shutdown` is to be called: by the driver, between two polls of `run`, or in a task of its own
    /// if the driver is inside `run` now and may never come back from there.
    fn ask_for_shutdown_call(&mut self, shared: &Shared, deferred: &mut Deferred) {
        if shared.polling.load(Ordering::SeqCst) || !self.driver.is_there {
            self.spawn_shutdown_call(shared, deferred);
        } else {
            if !self.has_one_thread() {
                // `run` may not have been polled yet and block in that poll: a new deadline task looks whether it does.
                deadline::disarm(self, deferred);
            }
            self.wake_driver(deferred);
        }
    }

    /// Spawns the call of `shutdown`, if nobody has claimed it yet.
    pub(crate) fn spawn_shutdown_call(&mut self, shared: &Shared, deferred: &mut Deferred) {
        if let Some((on, epoch)) = self.claim_shutdown(shared) {
            deferred.job(Job::ShutdownCall(on, epoch));
        }
    }

    fn give_up(&mut self, shared: &Shared, deferred: &mut Deferred) {
        let unresponsive = record::unresponsive(self, shared, deferred);
        listeners::tell(self, deferred, || {
            EventKind::Unresponsive(unresponsive.clone())
        });
        let error = crate::report::error::StopError::Unresponsive(unresponsive.clone());
        let answer = Answer::from(error);
        self.waiters
            .answer(Topic::Stop, &answer, &mut deferred.wakes);
        let answer = Answer::from(StartError::Unresponsive);
        self.waiters
            .answer(Topic::Start, &answer, &mut deferred.wakes);
        self.waiters
            .answer(Topic::Rest, &Answer::Seen, &mut deferred.wakes);
        owners::tell_observers(self, deferred);
        self.make_rare().next_on = None;
        deferred.cold().is_unresponsive = true;
        owners::tell_owners(self, &unresponsive, deferred);
    }

    /// Sees to it that somebody enters the attempt.
    pub(super) fn drive(&mut self, deferred: &mut Deferred) {
        let next_on = self.rare_mut().and_then(|rare| rare.next_on.take());
        if let Some(on) = next_on {
            self.driver.is_there &= self.on.is_now(&on);
            self.run_on(on);
        }
        if self.driver.is_there {
            self.wake_driver(deferred);
            return;
        }
        let Some(on) = self.on.handle().cloned() else {
            return;
        };
        self.driver.id = self.driver.id.wrapping_add(1);
        self.driver.is_there = true;
        let moves = std::mem::take(&mut self.driver.moves);
        let is_new = moves && !cfg!(startstop_loom) && runtimes::add(&on);
        deferred.job(Job::Driver(SpawnTarget {
            on,
            id: self.driver.id,
        }));
        if is_new {
            deferred.job(Job::ForgetRuntimes);
        }
    }

    /// Drops the handle of the runtime once the service has stopped and its driver is gone.
    #[inline]
    pub(super) fn leave_runtime(&mut self, deferred: &mut Deferred) {
        if self.state() == State::Stopped && !self.driver.is_there && !cfg!(startstop_loom) {
            deferred.drop_runtime(self.on.leave());
        }
    }

    #[inline]
    pub(crate) fn wake_driver(&mut self, deferred: &mut Deferred) {
        if deferred.driver.is_none() {
            deferred.driver.clone_from(&self.driver.waker);
        }
    }

    /// Sets the runtime of the next cycle.
    #[inline]
    pub(crate) fn move_next_to(&mut self, on: Handle) {
        if !self.on.is_now(&on) {
            self.make_rare().next_on = Some(on);
        } else if let Some(rare) = self.rare_mut() {
            // Mostly it stays where it is.
            rare.next_on = None;
        }
    }

    /// Sets the runtime of the cycle that begins.
    #[inline]
    pub(crate) fn run_on(&mut self, on: Handle) {
        self.driver.moves |= !self.on.is(&on);
        self.on = RunsOn::Runtime(on);
    }
}
