//! The tasks of a context without a runner.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, PoisonError};

use tokio::runtime::Handle;

use crate::engine::catch_unwind::{CatchUnwind, FutureEnd};
use crate::report::failure::RawFailure;
use crate::report::outcome::Outcome;
use crate::report::panic::catch_panic;
use crate::sync::{AbortHandle, Mutex, MutexGuard, Notify, is_own, spawn_on};

/// Aborts the tasks when it is dropped.
#[derive(Default)]
pub(super) struct DetachedTasks {
    live: Arc<Live>,
}

#[derive(Default)]
struct Live {
    tasks: Mutex<LiveTasks>,
    ended: Notify,
}

/// The tasks that have not ended, by the number of each: how many were spawned before it. A task that has just been spawned
/// has no handle yet.
#[derive(Default)]
struct LiveTasks {
    by_number: BTreeMap<u64, Option<AbortHandle>>,
    next: u64,
}

/// The entry of a task, which notes the end of the task in its drop.
struct LiveTask {
    live: Arc<Live>,
    number: u64,
}

impl Live {
    fn tasks(&self) -> MutexGuard<'_, LiveTasks> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(self: &Arc<Self>) -> LiveTask {
        let mut tasks = self.tasks();
        let number = tasks.next;
        tasks.next += 1;
        tasks.by_number.insert(number, None);
        LiveTask {
            live: Arc::clone(self),
            number,
        }
    }

    fn keep(&self, number: u64, handle: AbortHandle) {
        if let Some(place) = self.tasks().by_number.get_mut(&number) {
            *place = Some(handle);
        }
        // It may have begun to wait for the others before anybody knew that it is one of them.
        self.ended.notify_waiters();
    }

    /// Returns whether a task before this number has not ended, but for the one that asks.
    fn has_others_before(&self, limit: u64) -> bool {
        let tasks = self.tasks();
        let mut before = tasks.by_number.range(..limit);
        before.any(|(_, handle)| !handle.as_ref().is_some_and(is_own))
    }
}

impl DetachedTasks {
    /// Spawns a task, and tells of its failures.
    pub(super) fn spawn<F>(
        &self,
        name: Option<Cow<'static, str>>,
        future: F,
        failed: impl Fn(RawFailure) + Send + 'static,
    ) where
        F: Future<Output: Outcome> + Send + 'static,
    {
        let on = Handle::current();
        let entry = self.live.add();
        let number = entry.number;
        let task = spawn_on(&on, async move {
            let _entry = entry;
            let place = pin!(Some(future));
            let mut caught = CatchUnwind::new(place);
            let FutureEnd { result, dropped } = poll_fn(|task| caught.poll(task)).await;
            let end = result.and_then(|output| catch_panic(|| output.into_result()));
            let faults = [RawFailure::of_end(end), dropped.map(RawFailure::panic)];
            for fault in faults.into_iter().flatten() {
                failed(fault.of_task(name.clone()));
            }
        });
        self.live.keep(number, task);
    }

    /// Waits for those that were spawned so far, but for the one that asks.
    pub(super) async fn join(&self) {
        let limit = self.live.tasks().next;
        loop {
            // It is told of what comes after this line, so nothing gets lost between the look and the wait.
            let ended = self.live.ended.notified();
            if !self.live.has_others_before(limit) {
                return;
            }
            ended.await;
        }
    }
}

impl Drop for DetachedTasks {
    fn drop(&mut self) {
        let left = std::mem::take(&mut self.live.tasks().by_number);
        left.into_values().flatten().for_each(|task| task.abort());
    }
}

impl Drop for LiveTask {
    fn drop(&mut self) {
        // Let go of outside of the lock, since it may be all that is left of the task.
        let _handle = self.live.tasks().by_number.remove(&self.number);
        self.live.ended.notify_waiters();
    }
}
