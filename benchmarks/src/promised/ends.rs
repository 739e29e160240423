//! The changes by which something ends: a part, an attempt, a cycle, or the patience with one.

use std::mem;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::after::After;
use super::failure::{Cause, Exit, Failure, Phase, Raw, StartError, StopError};
use super::parts::Ended;
use super::synced::{Hook, Late, State, Synced};
use super::waiters::{Answer, Topic};
use super::{Service, Shared, clock};

impl<S: Service> Shared<S> {
    /// The end of a cycle, of which nothing is alive.
    pub(super) fn settle(&self, synced: &mut Synced, after: &mut After, now: u64) {
        let late = mem::take(&mut synced.late);
        let exit = match late {
            Late::GivenUp => Exit::Unresponsive,
            Late::No | Late::TimedOut => synced.ending,
        };
        synced.exit = exit;
        if mem::take(&mut synced.pending) {
            synced.begin_cycle();
            self.store(synced, State::Starting, now);
            if let Some(on) = synced.next_on.take() {
                after.driver = synced.driver.take();
                after.on = synced.on.replace(on.clone());
                after.spawn = Some(on);
            }
        } else {
            self.store(synced, State::Stopped, now);
            after.on = synced.on.take();
        }
        let failed = synced.failed.take();
        synced.waiters.answer(Topic::Stop, &mut after.wakes, || {
            Answer::Stop(match &failed {
                _ if late == Late::TimedOut => Err(StopError::TimedOut),
                Some(failure) => Err(StopError::Failed(Box::new(failure.clone()))),
                None => Ok(()),
            })
        });
        synced
            .waiters
            .answer(Topic::End, &mut after.wakes, || Answer::End(exit));
        after.drop_later(failed);
    }

    pub(super) fn record_all(
        &self,
        synced: &mut Synced,
        after: &mut After,
        ended: Ended,
        now: u64,
    ) {
        for raw in [ended.result.err(), ended.dropped].into_iter().flatten() {
            self.record(synced, after, raw, now);
        }
    }

    fn record(&self, synced: &mut Synced, after: &mut After, raw: Raw, now: u64) {
        let failure = Failure {
            error: raw.error,
            phase: raw.phase,
            cause: raw.cause,
            cycle: synced.cycle,
            attempt: synced.attempt,
            at: SystemTime::now(),
            uptime: Duration::from_nanos(now.saturating_sub(synced.began)),
        };
        synced.failures += 1;
        if synced.state == State::Stopping {
            after.drop_later(synced.failed.replace(failure.clone()));
            if synced.ending == Exit::Stopped {
                synced.ending = Exit::Failed;
            }
        }
        after.drop_later(synced.history.push(failure, self.settings.history));
    }

    /// The call of `shutdown` has ended: the driver settles what is over, or is about to end itself.
    pub(super) fn hook_ended(self: &Arc<Self>, ended: Ended) {
        let (now, mut after) = (clock::now(), After::default());
        let mut synced = self.lock();
        self.record_all(&mut synced, &mut after, ended, now);
        synced.hook = Hook::Over;
        after.driver = synced.driver.take();
        if !synced.driven && synced.state == State::Stopping {
            self.settle(&mut synced, &mut after, now);
        }
        drop(synced);
        after.run(self);
    }

    /// The driver has dropped what it polled, at the deadline.
    pub(super) fn timed_out(self: &Arc<Self>, phase: Phase, dropped: Option<Raw>) {
        let (now, mut after) = (clock::now(), After::default());
        let mut synced = self.lock();
        if synced.late == Late::No {
            synced.late = Late::TimedOut;
        }
        synced.ending = Exit::Aborted;
        if synced.hook == Hook::Inline {
            synced.hook = Hook::Over;
        }
        let late = Some(Raw::lack(phase, Cause::TimedOut));
        for raw in late.into_iter().chain(dropped) {
            self.record(&mut synced, &mut after, raw, now);
        }
        drop(synced);
        after.run(self);
    }

    /// A part has panicked in its drop.
    pub(super) fn panicked(self: &Arc<Self>, raw: Raw) {
        let (now, mut after) = (clock::now(), After::default());
        self.record(&mut self.lock(), &mut after, raw, now);
        after.run(self);
    }

    /// The driver was dropped with its runtime.
    pub(super) fn lost(self: &Arc<Self>) {
        let (now, mut after) = (clock::now(), After::default());
        let mut synced = self.lock();
        synced.driven = false;
        after.driver = synced.driver.take();
        if synced.state != State::Stopped {
            if synced.state == State::Running {
                self.leave_running(&mut synced, &mut after, State::Stopping, now);
            }
            let aborted = Raw::lack(Phase::Run, Cause::Aborted);
            self.record(&mut synced, &mut after, aborted, now);
            synced.ending = Exit::Aborted;
            synced.pending = false;
            after.drop_runtime(synced.next_on.take());
            if synced.hook != Hook::InTask {
                synced.hook = Hook::Over;
                self.settle(&mut synced, &mut after, now);
            }
            let gone = || Answer::Start(Err(StartError::NoRuntime));
            synced.waiters.answer(Topic::Start, &mut after.wakes, gone);
        }
        drop(synced);
        after.run(self);
    }

    /// It does not yield: those who wait are told.
    pub(super) fn give_up(&self, synced: &mut Synced, after: &mut After, now: u64) {
        let phase = match synced.hook {
            Hook::InTask | Hook::Inline => Phase::Shutdown,
            Hook::Over | Hook::Due => Phase::Run,
        };
        self.record(synced, after, Raw::lack(phase, Cause::Unresponsive), now);
        synced.late = Late::GivenUp;
        synced.pending = false;
        after.drop_runtime(synced.next_on.take());
        let wakes = &mut after.wakes;
        let start = || Answer::Start(Err(StartError::Unresponsive));
        synced.waiters.answer(Topic::Start, wakes, start);
        let stop = || Answer::Stop(Err(StopError::Unresponsive));
        synced.waiters.answer(Topic::Stop, wakes, stop);
        let end = || Answer::End(Exit::Unresponsive);
        synced.waiters.answer(Topic::End, wakes, end);
    }
}
