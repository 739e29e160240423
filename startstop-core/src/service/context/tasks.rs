//! A future that waits for the end of the tasks of an attempt.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Task, Poll};

use super::Attempt;
use crate::engine::tasks;
use crate::engine::waiters::{Key, Topic};

/// Waits for the end of tasks.
pub(super) struct Joined<'a> {
    attempt: &'a Attempt,
    /// The first task that is not waited for, once it is known.
    limit: Option<u64>,
    key: Option<Key>,
}

impl<'a> Joined<'a> {
    pub(super) fn new(attempt: &'a Attempt) -> Self {
        Self {
            attempt,
            limit: None,
            key: None,
        }
    }
}

impl Future for Joined<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<()> {
        let Self {
            attempt,
            limit,
            key,
        } = &mut *self;
        let shared = attempt.node().shared();
        let mut synced = shared.synced();
        if let Some(waiting) = *key {
            if synced.waiters.take(waiting).is_none() {
                let old = synced.waiters.wake(waiting, task.waker());
                drop(synced);
                drop(old);
                return Poll::Pending;
            }
            *key = None;
        }
        let limit = *limit.get_or_insert_with(|| tasks::next(&synced));
        if tasks::has_joined(&synced, shared, attempt.epoch(), limit) {
            return Poll::Ready(());
        }
        let waiting = synced.waiters.add_with(Topic::Tasks, task.waker());
        tasks::add_joiner(&mut synced, limit, waiting);
        *key = Some(waiting);
        Poll::Pending
    }
}

impl Drop for Joined<'_> {
    fn drop(&mut self) {
        let Some(key) = self.key.take() else { return };
        let mut synced = self.attempt.node().shared().synced();
        tasks::stop_joining(&mut synced, key);
        let old = synced.waiters.remove(key);
        drop(synced);
        drop(old);
    }
}
