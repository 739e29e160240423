//! The future of a request that was made: it reads the answer, and does nothing else.
//!
//! Dropping it is harmless, since the request has had its effect. It has one duty: the deadline task of the
//! deadline of a stop that somebody awaits is not spawned with it, since most stops end within a few turns
//! of the runtime. A pending reply asks to be polled for so many turns, and then spawns the deadline task; if it
//! is dropped before, its drop does so.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use crate::engine::request::{Caller, Reply};
use crate::engine::waiters::{Answer, Key};
use crate::engine::{Node, deadline, update};

/// An answer that comes later.
struct PendingReply<'a> {
    node: &'a Arc<dyn Node>,
    key: Option<Key>,
    /// The request was made in this poll, with its waker: whether a deadline task is owed.
    asked: Option<bool>,
    /// How many more turns the reply waits before it has a deadline task spawned that is owed.
    polls_left: u8,
}

/// One for the driver and one for a `shutdown` that awaits: a turn costs far less than a deadline task.
const POLLS_BEFORE_DEADLINE_TASK: u8 = 2;

/// Makes a request when it is first polled, and waits for what comes of it.
pub(crate) fn ask<R, T>(
    node: &Arc<dyn Node>,
    request: R,
    read: fn(Answer) -> Option<T>,
) -> RequestFuture<'_, R, T>
where
    R: FnOnce(Caller<'_>) -> Reply<T>,
{
    RequestFuture {
        request: Some(request),
        pending: PendingReply::blank(node),
        read,
    }
}

/// A request that is made when this is first polled. A plain future, since each start and each stop is
/// one: two `async` blocks in one another would cost what they save.
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct RequestFuture<'a, R, T> {
    request: Option<R>,
    pending: PendingReply<'a>,
    read: fn(Answer) -> Option<T>,
}

impl<R, T> Future for RequestFuture<'_, R, T>
where
    R: FnOnce(Caller<'_>) -> Reply<T> + Unpin,
{
    type Output = T;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<T> {
        let Self {
            request,
            pending,
            read,
        } = &mut *self;
        if let Some(request) = request.take() {
            if let Some(outcome) = pending.take(request(Caller::By(task.waker()))) {
                return Poll::Ready(outcome);
            }
        }
        Pin::new(pending)
            .poll(task)
            .map(|answer| value(answer, *read))
    }
}

fn value<T>(answer: Answer, read: fn(Answer) -> Option<T>) -> T {
    read(answer).expect("an entry is answered with what its topic is about")
}

/// Waits for what a reply promises. The pending reply is there from the call on, polled or not.
pub(crate) fn wait_reply<T>(
    node: &Arc<dyn Node>,
    reply: Reply<T>,
    read: fn(Answer) -> Option<T>,
) -> impl Future<Output = T> + use<'_, T> {
    let mut pending = PendingReply::blank(node);
    let outcome = pending.take(reply);
    async move {
        match outcome {
            Some(outcome) => outcome,
            None => value(pending.await, read),
        }
    }
}

impl<'a> PendingReply<'a> {
    /// Good for nothing before it has taken a reply.
    fn blank(node: &'a Arc<dyn Node>) -> Self {
        Self {
            node,
            key: None,
            asked: None,
            polls_left: POLLS_BEFORE_DEADLINE_TASK,
        }
    }

    /// Returns the outcome, if it is there; else this waits for it.
    fn take<T>(&mut self, reply: Reply<T>) -> Option<T> {
        match reply {
            Reply::Now(outcome) => return Some(outcome),
            Reply::Later(key) => self.key = Some(key),
            Reply::Awaited { key, owes } => {
                self.key = Some(key);
                self.asked = Some(owes);
            }
        }
        None
    }

    fn spawn_deadline_task(&self) {
        update(self.node, |_, synced, deferred| {
            deadline::on_polled(synced, deferred);
        });
    }

    /// Looks for the answer, or leaves the waker for it: then, whether a deadline task is owed.
    #[inline]
    fn look(&self, key: Key, task: &Task<'_>) -> Result<Answer, bool> {
        let mut synced = self.node.shared().synced();
        if let Some(answer) = synced.waiters.take(key) {
            return Ok(answer);
        }
        let old_waker = synced.waiters.wake(key, task.waker());
        let owes = deadline::is_owed(&synced);
        drop(synced);
        drop(old_waker);
        Err(owes)
    }
}

impl Future for PendingReply<'_> {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Answer> {
        let Some(key) = self.key else {
            return Poll::Pending;
        };
        let found = match self.asked.take() {
            Some(owes) => Err(owes),
            None => self.look(key, task),
        };
        match found {
            Ok(answer) => {
                self.key = None;
                return Poll::Ready(answer);
            }
            Err(true) if self.polls_left == 0 => self.spawn_deadline_task(),
            Err(true) => {
                // Once more, behind the driver: it may have ended by then.
                self.polls_left -= 1;
                task.waker().wake_by_ref();
            }
            Err(false) => {}
        }
        Poll::Pending
    }
}

impl Drop for PendingReply<'_> {
    fn drop(&mut self) {
        let Some(key) = self.key.take() else { return };
        let mut synced = self.node.shared().synced();
        let rest = synced.waiters.remove(key);
        let owes = deadline::is_owed(&synced);
        drop(synced);
        drop(rest);
        if owes {
            self.spawn_deadline_task();
        }
    }
}
