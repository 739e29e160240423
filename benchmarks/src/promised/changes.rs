//! The changes: each is made under one short lock, which records, stores the state, and answers; the rest is done after it.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;

use tokio::runtime::Handle;

use super::after::After;
use super::driver::has_workers;
use super::failure::{Exit, StartError, StopError};
use super::parts::Ended;
use super::synced::{Hook, Late, State, Synced};
use super::waiters::{Answer, Topic};
use super::{Context, Service, Shared, clock};

/// What is asked for by a caller.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    Start,
    Restart,
    Stop,
    Wait,
}

/// What came of it.
pub(super) enum Asked {
    Answered(Answer),
    Waits(usize),
}

/// What the driver does next.
pub(super) enum Next<S> {
    Enter(Context<S>, Turn),
    CallHook,
    /// Until it is woken.
    Wait,
    /// Or until then.
    Until(u64),
    Yield,
    Done,
}

/// Whether others are to have their turn before `run`, since somebody was answered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Own,
    OfOthers,
}

impl<S> Next<S> {
    /// Keeps what wakes the driver, if it goes on; what is returned is to be dropped after the lock.
    fn keep(&self, synced: &mut Synced, waker: &Waker) -> Option<Waker> {
        match self {
            Self::Done => synced.driver.take(),
            _ => synced.wake_driver_by(waker),
        }
    }
}

impl<S: Service> Shared<S> {
    pub(super) fn request(self: &Arc<Self>, what: Request, waker: &Waker) -> Asked {
        let mut after = After::default();
        let mut synced = self.lock();
        let answer = match what {
            Request::Start | Request::Restart => self.start(&mut synced, &mut after, what),
            Request::Stop => self.stop(&mut synced, &mut after),
            Request::Wait if synced.late == Late::GivenUp => Some(Answer::End(Exit::Unresponsive)),
            Request::Wait if synced.state == State::Stopped => Some(Answer::End(synced.exit)),
            Request::Wait => None,
        };
        let asked = match answer {
            Some(answer) => Asked::Answered(answer),
            None => {
                let topic = match what {
                    Request::Start | Request::Restart => Topic::Start,
                    Request::Stop => Topic::Stop,
                    Request::Wait => Topic::End,
                };
                Asked::Waits(synced.waiters.add(topic, waker))
            }
        };
        drop(synced);
        after.run(self);
        asked
    }

    /// The same, and nobody waits.
    pub(super) fn request_only(self: &Arc<Self>, what: Request) {
        let mut after = After::default();
        let mut synced = self.lock();
        let answer = match what {
            Request::Start | Request::Restart => self.start(&mut synced, &mut after, what),
            Request::Stop => self.stop(&mut synced, &mut after),
            Request::Wait => None,
        };
        drop(synced);
        drop(answer);
        after.run(self);
    }

    fn start(&self, synced: &mut Synced, after: &mut After, what: Request) -> Option<Answer> {
        let Ok(here) = Handle::try_current() else {
            return Some(Answer::Start(Err(StartError::NoRuntime)));
        };
        if synced.late == Late::GivenUp {
            return Some(Answer::Start(Err(StartError::Unresponsive)));
        }
        let now = clock::now();
        match (synced.state, what) {
            (State::Stopped, _) => {
                synced.begin_cycle();
                self.store(synced, State::Starting, now);
                if synced.driven {
                    after.driver = synced.driver.take();
                } else {
                    synced.driven = true;
                    after.spawn = Some(here.clone());
                }
                after.on = synced.on.replace(here);
                return None;
            }
            (State::Starting, Request::Restart) => synced.begin_cycle(),
            (State::Backoff, Request::Restart) => {
                synced.begin_cycle();
                self.store(synced, State::Starting, now);
                after.driver = synced.driver.take();
            }
            (State::Backoff, _) => {
                synced.retry_at = now;
                after.driver = synced.driver.take();
            }
            (State::Running, _) => self.begin_stop(synced, after, now),
            (State::Starting | State::Stopping, _) => {}
        }
        if synced.state == State::Stopping {
            synced.pending = true;
            if synced.on.as_ref().is_none_or(|on| on.id() != here.id()) {
                after.drop_runtime(synced.next_on.replace(here));
            }
        }
        None
    }

    fn stop(&self, synced: &mut Synced, after: &mut After) -> Option<Answer> {
        if synced.state == State::Stopped {
            return Some(Answer::Stop(Ok(())));
        }
        synced.pending = false;
        after.drop_runtime(synced.next_on.take());
        let stopped = || Answer::Start(Err(StartError::Stopped));
        match synced.state {
            State::Running => self.begin_stop(synced, after, clock::now()),
            State::Stopping if synced.late == Late::GivenUp => {
                return Some(Answer::Stop(Err(StopError::Unresponsive)));
            }
            State::Stopping => synced
                .waiters
                .answer(Topic::Start, &mut after.wakes, stopped),
            State::Stopped | State::Starting | State::Backoff => {
                synced.ending = Exit::Stopped;
                after.driver = synced.driver.take();
                self.settle(synced, after, clock::now());
                synced
                    .waiters
                    .answer(Topic::Start, &mut after.wakes, stopped);
                return Some(Answer::Stop(Ok(())));
            }
        }
        None
    }

    fn begin_stop(&self, synced: &mut Synced, after: &mut After, now: u64) {
        synced.ending = Exit::Stopped;
        synced.stop_at = clock::later(now, self.settings.stop_timeout);
        if S::HAS_SHUTDOWN {
            synced.hook = Hook::Due;
        }
        after.driver = synced.driver.take();
        if synced.on.as_ref().is_some_and(has_workers) {
            after.watch = !mem::replace(&mut synced.watched, true);
        }
        self.leave_running(synced, after, State::Stopping, now);
    }

    /// Tells the attempt that it is to end, or has ended.
    pub(super) fn leave_running(
        &self,
        synced: &mut Synced,
        after: &mut After,
        state: State,
        now: u64,
    ) {
        synced.ran += now.saturating_sub(synced.since);
        self.store(synced, state, now);
        self.cancelled.store(synced.epoch, Ordering::Release);
        after.wake_all(&mut synced.cancels);
    }

    /// The next step of the driver.
    pub(super) fn next(self: &Arc<Self>, waker: &Waker) -> Next<S> {
        let (now, mut after) = (clock::now(), After::default());
        let mut synced = self.lock();
        let next = self.next_of(&mut synced, &mut after, now);
        let old = next.keep(&mut synced, waker);
        drop(synced);
        drop(old);
        after.run(self);
        next
    }

    /// `run` has ended, which the driver tells.
    pub(super) fn run_ended(self: &Arc<Self>, ended: Ended, waker: &Waker) -> Next<S> {
        let (now, mut after) = (clock::now(), After::default());
        let mut synced = self.lock();
        let has_failed = ended.has_failed();
        self.record_all(&mut synced, &mut after, ended, now);
        let restarts = has_failed && synced.restarts < self.settings.restarts;
        let next = match synced.state {
            State::Stopping => self.next_of(&mut synced, &mut after, now),
            _ if restarts => {
                synced.restarts += 1;
                synced.retry_at = clock::later(now, self.settings.backoff);
                self.leave_running(&mut synced, &mut after, State::Backoff, now);
                Next::Yield
            }
            _ => {
                synced.ending = if has_failed {
                    Exit::Failed
                } else {
                    Exit::Completed
                };
                self.leave_running(&mut synced, &mut after, State::Stopping, now);
                self.next_of(&mut synced, &mut after, now)
            }
        };
        let old = next.keep(&mut synced, waker);
        drop(synced);
        drop(old);
        after.run(self);
        next
    }

    fn next_of(self: &Arc<Self>, synced: &mut Synced, after: &mut After, now: u64) -> Next<S> {
        match (synced.state, synced.hook) {
            (State::Backoff, _) if now < synced.retry_at => return Next::Until(synced.retry_at),
            (State::Stopping, Hook::Due) => {
                synced.hook = Hook::Inline;
                return Next::CallHook;
            }
            (State::Stopping, Hook::InTask) => return Next::Wait,
            (State::Stopping, _) => self.settle(synced, after, now),
            _ => {}
        }
        match synced.state {
            State::Stopped => {
                synced.driven = false;
                Next::Done
            }
            // Its next cycle is driven elsewhere.
            _ if after.spawn.is_some() => Next::Done,
            _ => self.enter(synced, after, now),
        }
    }

    fn enter(self: &Arc<Self>, synced: &mut Synced, after: &mut After, now: u64) -> Next<S> {
        synced.attempt += 1;
        synced.epoch += 1;
        synced.began = now;
        self.store(synced, State::Running, now);
        let started = || Answer::Start(Ok(()));
        synced
            .waiters
            .answer(Topic::Start, &mut after.wakes, started);
        let context = Context {
            shared: Arc::clone(self),
            epoch: synced.epoch,
            attempt: synced.attempt,
        };
        let turn = if after.wakes.is_empty() {
            Turn::Own
        } else {
            Turn::OfOthers
        };
        Next::Enter(context, turn)
    }
}
