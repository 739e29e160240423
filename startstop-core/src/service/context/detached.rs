//! A context without a runner, for unit tests of services.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, PoisonError};

use tokio::task::{Id, JoinSet};

use super::heard::{Heard, Said};
use super::{Probe, Reload};
use crate::report::failure::RawFailure;
use crate::report::outcome::Outcome;
use crate::report::panic::catch_panic;
use crate::report::state::Phase;
use crate::report::stop_reason::StopReason;
use crate::sync::{CancellationToken, Mutex, MutexGuard, Notify};

/// The state that the clones of a detached context share.
pub(super) struct Detached {
    pub(super) token: CancellationToken,
    heard: Arc<Heard>,
    /// Aborts its tasks when it is dropped; `None` in a copy that only waits.
    tasks: Option<DetachedTasks>,
}

#[derive(Default)]
struct DetachedTasks {
    set: Mutex<JoinSet<()>>,
    live: Arc<Live>,
}

/// The tasks that have not ended, in the order in which they were spawned.
#[derive(Default)]
struct Live {
    tasks: Mutex<BTreeMap<u64, Option<Id>>>,
    ended: Notify,
}

/// Notes the end of a task in its drop.
struct LiveTask {
    live: Arc<Live>,
    id: u64,
}

impl Drop for LiveTask {
    fn drop(&mut self) {
        self.live.tasks().remove(&self.id);
        self.live.ended.notify_waiters();
    }
}

impl Live {
    fn tasks(&self) -> MutexGuard<'_, BTreeMap<u64, Option<Id>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether a task before this one has not ended, but for the one that asks.
    fn has_others_before(&self, limit: u64) -> bool {
        let own = tokio::task::try_id();
        self.tasks()
            .range(..limit)
            .any(|(_, id)| id.is_none() || *id != own)
    }
}

impl Detached {
    /// With the probe that hears it.
    pub(super) fn new(token: CancellationToken) -> (Self, Probe) {
        let heard = Arc::new(Heard::new(token.child_token()));
        let probe = Probe::new(Arc::clone(&heard));
        (
            Self {
                token,
                heard,
                tasks: Some(DetachedTasks::default()),
            },
            probe,
        )
    }

    /// Returns a copy that only waits.
    pub(super) fn without_tasks(&self) -> Self {
        Self {
            token: self.token.clone(),
            heard: Arc::clone(&self.heard),
            tasks: None,
        }
    }

    /// Returns what the service says.
    pub(super) fn said(&self) -> MutexGuard<'_, Said> {
        self.heard.said()
    }

    pub(super) fn stop(&self) {
        self.said().stops_itself = true;
        self.token.cancel();
    }

    /// Returns why the service is to end, once its token is cancelled.
    pub(super) fn reason(&self) -> Option<StopReason> {
        if self.said().stops_itself {
            return Some(StopReason::Own);
        }
        let ends = self.token.is_cancelled() || self.heard.drain.is_cancelled();
        ends.then_some(StopReason::Requested)
    }

    pub(super) async fn draining(&self) {
        // A child of the token: a cancellation ends any drain.
        self.heard.drain.cancelled().await;
    }

    pub(super) async fn reloaded(&self) -> Reload {
        self.heard.next_reload().await
    }

    pub(super) fn spawn<F>(&self, name: Option<Cow<'static, str>>, future: F)
    where
        F: Future<Output: Outcome> + Send + 'static,
    {
        let Some(tasks) = &self.tasks else { return };
        let mut set = tasks.set.lock().unwrap_or_else(PoisonError::into_inner);
        while set.try_join_next().is_some() {}
        // Under the lock, so that the task is known before it can ask for the others.
        let mut live = tasks.live.tasks();
        let id = live.last_key_value().map_or(0, |(last, _)| last + 1);
        let entry = LiveTask {
            live: Arc::clone(&tasks.live),
            id,
        };
        let heard = Arc::clone(&self.heard);
        let task = set.spawn(async move {
            let _entry = entry;
            let output = future.await;
            if let Err(error) =
                catch_panic(|| output.into_result()).unwrap_or_else(|it| Err(it.into()))
            {
                heard
                    .said()
                    .record(Phase::Task, RawFailure::of(|| error).of_task(name));
            }
        });
        live.insert(id, Some(task.id()));
    }

    pub(super) async fn join_tasks(&self) {
        let Some(DetachedTasks { live, .. }) = &self.tasks else {
            return;
        };
        let limit = live
            .tasks()
            .last_key_value()
            .map_or(0, |(last, _)| last + 1);
        loop {
            // It is told of what comes after this line, so nothing gets lost between the look and the wait.
            let ended = live.ended.notified();
            if !live.has_others_before(limit) {
                return;
            }
            ended.await;
        }
    }
}

impl Drop for Detached {
    /// The context is gone: nobody answers what is asked.
    fn drop(&mut self) {
        if self.tasks.is_some() {
            self.heard.close();
        }
    }
}
