//! The futures of a context.
//!
//! Each registers an entry in the engine when it has to wait, and removes it when it is dropped. One
//! case costs no entry: a cancellation waited for in the service's own task, which the runner wakes
//! anyway.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Task, Poll};

use super::{Attempt, Context, Link};
use crate::engine::waiters::{Key, Topic};
use crate::engine::{Shared, parts};
use crate::rules::lifecycle::StopStage;
use crate::sync::WaitForCancellationFutureOwned;

/// The future of [`Context::cancelled`].
#[must_use = "futures do nothing unless awaited"]
pub struct Cancelled<'a> {
    cx: &'a Context,
    wait: Wait,
}

/// The future of [`Context::cancelled_owned`].
#[must_use = "futures do nothing unless awaited"]
pub struct CancelledOwned {
    cx: Context,
    wait: Wait,
}

/// The memory of a future that waits for a cancellation: nothing in the service's own task,
/// where most wait, and where its size counts.
#[derive(Default)]
struct Wait(Option<Box<Registered>>);

enum Registered {
    Attempt(Key),
    Detached(Pin<Box<WaitForCancellationFutureOwned>>),
}

impl Wait {
    fn poll(&mut self, cx: &Context, task: &mut Task<'_>) -> Poll<()> {
        match &cx.link {
            Link::Attempt(attempt) => self.poll_attempt(attempt, task),
            Link::Detached(detached) => {
                let wait = || detached.token.clone().cancelled_owned();
                let registered = || Box::new(Registered::Detached(Box::pin(wait())));
                match &mut **self.0.get_or_insert_with(registered) {
                    Registered::Detached(future) => future.as_mut().poll(task),
                    Registered::Attempt(_) => Poll::Pending,
                }
            }
        }
    }

    fn poll_attempt(&mut self, attempt: &Attempt, task: &mut Task<'_>) -> Poll<()> {
        let (stage, topic) = (attempt.cancel_stage(), attempt.cancel_topic());
        let before = self.key();
        let mut key = before;
        let polled = poll_stage(attempt, stage, topic, &mut key, task);
        if key != before {
            self.0 = key.map(|key| Box::new(Registered::Attempt(key)));
        }
        polled
    }

    fn key(&self) -> Option<Key> {
        match self.0.as_deref() {
            Some(Registered::Attempt(key)) => Some(*key),
            _ => None,
        }
    }

    fn forget(&mut self, cx: &Context) {
        if let (Some(key), Link::Attempt(attempt)) = (self.key(), &cx.link) {
            remove(attempt.node().shared(), &mut Some(key));
        }
    }
}

/// Waits until the attempt is at `stage`, in an entry under `topic` if need be.
#[inline]
fn poll_stage(
    attempt: &Attempt,
    stage: StopStage,
    topic: Topic,
    key: &mut Option<Key>,
    task: &mut Task<'_>,
) -> Poll<()> {
    if attempt.has_reached(stage) {
        return Poll::Ready(());
    }
    let shared = attempt.node().shared();
    let mut synced = shared.synced();
    if parts::has_reached(&synced, shared, attempt.epoch(), stage) {
        return Poll::Ready(());
    }
    if parts::wakes_driver(&synced, task.waker()) {
        let old = key.take().map(|key| synced.waiters.remove(key));
        drop(synced);
        drop(old);
        return Poll::Pending;
    }
    let key = *key.get_or_insert_with(|| synced.waiters.add(topic));
    let old_waker = synced.waiters.wake(key, task.waker());
    drop(synced);
    drop(old_waker);
    Poll::Pending
}

fn remove(shared: &Shared, key: &mut Option<Key>) {
    let Some(key) = key.take() else { return };
    let old = shared.synced().waiters.remove(key);
    // Outside of the lock: the drop of a waker is user code.
    drop(old);
}

impl<'a> Cancelled<'a> {
    pub(super) fn new(cx: &'a Context) -> Self {
        Self {
            cx,
            wait: Wait::default(),
        }
    }
}

impl Future for Cancelled<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<()> {
        let cx = self.cx;
        self.wait.poll(cx, task)
    }
}

impl Drop for Cancelled<'_> {
    fn drop(&mut self) {
        self.wait.forget(self.cx);
    }
}

impl CancelledOwned {
    pub(super) fn new(cx: Context) -> Self {
        Self {
            wait: Wait::default(),
            cx,
        }
    }
}

impl Future for CancelledOwned {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<()> {
        let Self { cx, wait } = &mut *self;
        wait.poll(cx, task)
    }
}

impl Drop for CancelledOwned {
    fn drop(&mut self) {
        let Self { cx, wait } = self;
        wait.forget(cx);
    }
}

impl fmt::Debug for Cancelled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancelled").finish_non_exhaustive()
    }
}

impl fmt::Debug for CancelledOwned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelledOwned").finish_non_exhaustive()
    }
}

/// Waits until the attempt is at a stop stage.
pub(super) struct StageReached<'a> {
    attempt: &'a Attempt,
    stage: StopStage,
    topic: Topic,
    key: Option<Key>,
}

impl<'a> StageReached<'a> {
    pub(super) fn new(attempt: &'a Attempt, stage: StopStage, topic: Topic) -> Self {
        Self {
            attempt,
            stage,
            topic,
            key: None,
        }
    }
}

impl Future for StageReached<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<()> {
        let Self {
            attempt,
            stage,
            topic,
            key,
        } = &mut *self;
        poll_stage(attempt, *stage, *topic, key, task)
    }
}

impl Drop for StageReached<'_> {
    fn drop(&mut self) {
        remove(self.attempt.node().shared(), &mut self.key);
    }
}
