//! The task of a service: it polls `run`, mostly `shutdown` as well, and keeps the deadline of a stop.

use std::future::{self, Future};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::time::{Sleep, sleep_until};

use super::changes::{Next, Turn};
use super::failure::{Cause, Phase, Raw};
use super::parts::{self, Ended};
use super::synced::Hook;
use super::{Service, Shared, clock};

/// Says so when the driver is dropped with its runtime, also before its first poll.
pub(super) struct Lost<S: Service> {
    shared: Arc<Shared<S>>,
    has_workers: bool,
    is_done: bool,
}

impl<S: Service> Lost<S> {
    pub(super) fn new(shared: &Arc<Shared<S>>, on: &Handle) -> Self {
        Self {
            shared: Arc::clone(shared),
            has_workers: has_workers(on),
            is_done: false,
        }
    }
}

impl<S: Service> Drop for Lost<S> {
    fn drop(&mut self) {
        if !self.is_done {
            self.shared.lost();
        }
    }
}

/// Whether others work where one is blocked.
pub(super) fn has_workers(on: &Handle) -> bool {
    on.runtime_flavor() != RuntimeFlavor::CurrentThread
}

/// Drives one service until nothing is left to be done.
pub(super) async fn drive<S: Service>(mut lost: Lost<S>) {
    let shared = &lost.shared;
    let (mut run, mut hook) = (pin!(None), pin!(None));
    let mut driver = Driver {
        shared,
        has_workers: lost.has_workers,
        run: run.as_mut(),
        hook: hook.as_mut(),
        epoch: 0,
        deadline: Deadline::Far,
    };
    let make_run = |cx| shared.service.run(cx);
    let make_hook = || shared.service.shutdown();
    future::poll_fn(|cx| driver.poll(cx, make_run, make_hook)).await;
    drop(driver);
    lost.is_done = true;
}

/// Who keeps the deadline of a stop.
enum Deadline {
    /// Nothing has to be kept.
    Far,
    /// It has a turn to end by itself: most do.
    Soon,
    Kept(Pin<Box<Sleep>>),
    Passed,
}

struct Driver<'a, S: Service, R, H> {
    shared: &'a Arc<Shared<S>>,
    has_workers: bool,
    run: Pin<&'a mut Option<R>>,
    hook: Pin<&'a mut Option<H>>,
    epoch: u64,
    deadline: Deadline,
}

impl<S, R, H> Driver<'_, S, R, H>
where
    S: Service,
    R: Future<Output = Result<(), S::Error>>,
    H: Future<Output = Result<(), S::Error>>,
{
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        make_run: impl Fn(super::Context<S>) -> R,
        make_hook: impl Fn() -> H,
    ) -> Poll<()> {
        let mut next = None;
        loop {
            let step = match next.take() {
                Some(step) => step,
                None => match self.poll_parts(cx) {
                    Poll::Ready(step) => step,
                    Poll::Pending if self.is_due(cx) => {
                        self.abort();
                        self.shared.next(cx.waker())
                    }
                    Poll::Pending => return Poll::Pending,
                },
            };
            match step {
                Next::Enter(context, turn) => {
                    self.epoch = context.epoch;
                    self.deadline = Deadline::Far;
                    let filled = parts::fill(self.run.as_mut(), Phase::Run, || make_run(context));
                    if let Err(ended) = filled {
                        next = Some(self.shared.run_ended(ended, cx.waker()));
                    } else if turn == Turn::OfOthers && self.has_workers {
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                }
                Next::CallHook => {
                    let filled = parts::fill(self.hook.as_mut(), Phase::Shutdown, &make_hook);
                    if let Err(ended) = filled {
                        next = Some(self.hook_ended(ended, cx));
                    }
                }
                Next::Wait if self.is_due(cx) => self.abort(),
                Next::Wait => return Poll::Pending,
                Next::Until(at) => {
                    let mut sleep = Box::pin(sleep_until(clock::instant(at)));
                    if sleep.as_mut().poll(cx).is_pending() {
                        self.deadline = Deadline::Kept(sleep);
                        return Poll::Pending;
                    }
                }
                Next::Yield => {
                    self.deadline = Deadline::Far;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Next::Done => return Poll::Ready(()),
            }
        }
    }

    /// Polls what there is, or asks what comes next.
    fn poll_parts(&mut self, cx: &mut Context<'_>) -> Poll<Next<S>> {
        if self.run.is_some() {
            let ended = parts::poll(self.run.as_mut(), Phase::Run, cx);
            return ended.map(|ended| self.shared.run_ended(ended, cx.waker()));
        }
        if self.hook.is_some() {
            let ended = parts::poll(self.hook.as_mut(), Phase::Shutdown, cx);
            return ended.map(|ended| self.hook_ended(ended, cx));
        }
        Poll::Ready(self.shared.next(cx.waker()))
    }

    fn hook_ended(&self, ended: Ended, cx: &Context<'_>) -> Next<S> {
        self.shared.hook_ended(ended);
        self.shared.next(cx.waker())
    }

    /// Whether the deadline of a stop has come. It is kept from the second turn on that a stop takes.
    fn is_due(&mut self, cx: &mut Context<'_>) -> bool {
        match &mut self.deadline {
            Deadline::Far if self.shared.is_cancelled(self.epoch) => {
                if self.run.is_some() {
                    call_hook(self.shared, cx);
                }
                self.deadline = Deadline::Soon;
                cx.waker().wake_by_ref();
                return false;
            }
            Deadline::Soon => {
                let at = self.shared.lock().stop_at;
                self.deadline = Deadline::Kept(Box::pin(sleep_until(clock::instant(at))));
            }
            _ => {}
        }
        let Deadline::Kept(sleep) = &mut self.deadline else {
            return false;
        };
        let is_due = sleep.as_mut().poll(cx).is_ready();
        if is_due {
            self.deadline = Deadline::Passed;
        }
        is_due
    }

    fn abort(&mut self) {
        if self.run.is_some() {
            let dropped = parts::clear(self.run.as_mut(), Phase::Run);
            self.shared.timed_out(Phase::Run, dropped);
        }
        if self.hook.is_some() {
            let dropped = parts::clear(self.hook.as_mut(), Phase::Shutdown);
            self.shared.timed_out(Phase::Shutdown, dropped);
        }
    }
}

impl<S: Service, R, H> Drop for Driver<'_, S, R, H> {
    fn drop(&mut self) {
        let phases = [
            parts::clear(self.run.as_mut(), Phase::Run),
            parts::clear(self.hook.as_mut(), Phase::Shutdown),
        ];
        for raw in phases.into_iter().flatten() {
            self.shared.panicked(raw);
        }
    }
}

/// Has `shutdown` called in a task of its own, while `run` goes on.
fn call_hook<S: Service>(shared: &Arc<Shared<S>>, cx: &Context<'_>) {
    let mut synced = shared.lock();
    let old = synced.wake_driver_by(cx.waker());
    let (at, is_due) = (synced.stop_at, synced.hook == Hook::Due);
    if is_due {
        synced.hook = Hook::InTask;
    }
    drop(synced);
    drop(old);
    if is_due {
        spawn_hook(shared, &Handle::current(), at);
    }
}

/// Calls `shutdown` in a task, which is dropped at the deadline.
pub(super) fn spawn_hook<S: Service>(shared: &Arc<Shared<S>>, on: &Handle, at: u64) {
    let called = Called {
        shared: Arc::clone(shared),
        ended: None,
    };
    on.spawn(run_hook(called, at));
}

async fn run_hook<S: Service>(mut called: Called<S>, at: u64) {
    let shared = Arc::clone(&called.shared);
    let mut place = pin!(None);
    let filled = parts::fill(place.as_mut(), Phase::Shutdown, || {
        shared.service.shutdown()
    });
    let mut sleep = pin!(sleep_until(clock::instant(at)));
    let polled = future::poll_fn(|cx| {
        if let Poll::Ready(ended) = parts::poll(place.as_mut(), Phase::Shutdown, cx) {
            return Poll::Ready(Some(ended));
        }
        sleep.as_mut().poll(cx).map(|()| None)
    });
    let ended = match filled {
        Err(ended) => Some(ended),
        Ok(()) => polled.await,
    };
    called.ended = ended.or_else(|| {
        let dropped = parts::clear(place.as_mut(), Phase::Shutdown);
        shared.timed_out(Phase::Shutdown, dropped);
        Some(Ended::clean())
    });
}

/// Tells of the end of `shutdown`, also when its task is dropped.
struct Called<S: Service> {
    shared: Arc<Shared<S>>,
    ended: Option<Ended>,
}

impl<S: Service> Drop for Called<S> {
    fn drop(&mut self) {
        let aborted = || Ended::failed(Raw::lack(Phase::Shutdown, Cause::Aborted));
        let ended = self.ended.take().unwrap_or_else(aborted);
        self.shared.hook_ended(ended);
    }
}
