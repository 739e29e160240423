//! A context without a runner, for unit tests of services.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, PoisonError};

use tokio::task::{Id, JoinSet};

use super::heard::{Heard, Said};
use super::{Context, Link, Probe, Reload};
use crate::report::failure::RawFailure;
use crate::report::outcome::Outcome;
use crate::report::panic::fenced;
use crate::report::state::Phase;
use crate::report::stop_reason::StopReason;
use crate::sync::{CancellationToken, Mutex, MutexGuard, Notify};

/// What the clones of a detached context share.
pub(super) struct Detached {
    pub(super) token: CancellationToken,
    heard: Arc<Heard>,
    /// Aborts its tasks when it is dropped; `None` in a copy that only waits.
    tasks: Option<Tasks>,
}

#[derive(Default)]
struct Tasks {
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
struct Entry {
    live: Arc<Live>,
    id: u64,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.live.tasks().remove(&self.id);
        self.live.ended.notify_waiters();
    }
}

impl Live {
    fn tasks(&self) -> MutexGuard<'_, BTreeMap<u64, Option<Id>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a task before this one has not ended, but for the one that asks.
    fn has_others_before(&self, limit: u64) -> bool {
        let own = tokio::task::try_id();
        self.tasks().range(..limit).any(|(_, id)| id.is_none() || *id != own)
    }
}

impl Detached {
    fn new(token: CancellationToken, heard: Arc<Heard>) -> Self {
        Self { token, heard, tasks: Some(Tasks::default()) }
    }

    /// What the service says.
    pub(super) fn said(&self) -> MutexGuard<'_, Said> {
        self.heard.said()
    }

    pub(super) fn stop(&self) {
        self.said().stops_itself = true;
        self.token.cancel();
    }

    /// Why the service is to end, once its token is cancelled.
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
        let entry = Entry { live: Arc::clone(&tasks.live), id };
        let heard = Arc::clone(&self.heard);
        let task = set.spawn(async move {
            let _entry = entry;
            let output = future.await;
            if let Err(error) = fenced(|| output.into_result()).unwrap_or_else(|it| Err(it.into()))
            {
                heard.said().record(Phase::Task, RawFailure::of(|| error).of_task(name));
            }
        });
        live.insert(id, Some(task.id()));
    }

    pub(super) async fn join_tasks(&self) {
        let Some(Tasks { live, .. }) = &self.tasks else { return };
        let limit = live.tasks().last_key_value().map_or(0, |(last, _)| last + 1);
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

impl Context {
    /// The same for who only waits: with a detached context one that does not keep its tasks.
    pub(super) fn without_tasks(&self) -> Self {
        match &self.link {
            Link::Attempt(_) => self.clone(),
            Link::Detached(detached) => {
                let (token, heard) = (detached.token.clone(), Arc::clone(&detached.heard));
                let copy = Detached { token, heard, tasks: None };
                Self { link: Link::Detached(Arc::new(copy)) }
            }
        }
    }

    /// A context without a runner, for calling `service.run(cx)` in a unit test.
    ///
    /// `token` is its cancellation. [`ready`](Self::ready), [`report`](Self::report) and
    /// [`heartbeat`](Self::heartbeat) do nothing: a test that looks at them uses [`probed`](Self::probed).
    /// [`spawn`](Self::spawn) uses the current runtime, and its tasks end with the last clone of the context.
    /// [`request_stop`](Self::request_stop) and [`request_shutdown`](Self::request_shutdown) cancel `token` itself,
    /// [`request_restart`](Self::request_restart) does nothing, [`reloaded`](Self::reloaded) waits for ever, and there is no
    /// [`deadline`](Self::deadline).
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Context, Service, service_fn};
    /// use tokio_util::sync::CancellationToken;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let service = service_fn(async |cx| cx.cancelled().await);
    /// let token = CancellationToken::new();
    /// token.cancel();
    /// service.run(Context::detached(token)).await.unwrap();
    /// # }
    /// ```
    pub fn detached(token: CancellationToken) -> Self {
        Self::probed(token).0
    }

    /// A [detached](Self::detached) context, and a [`Probe`] that tells what the service says to it, drains it and asks it for
    /// a reload.
    ///
    /// # Examples
    ///
    /// See [`Probe`].
    pub fn probed(token: CancellationToken) -> (Self, Probe) {
        let heard = Arc::new(Heard::new(token.child_token()));
        let detached = Detached::new(token, Arc::clone(&heard));
        (Self { link: Link::Detached(Arc::new(detached)) }, Probe::new(heard))
    }
}
