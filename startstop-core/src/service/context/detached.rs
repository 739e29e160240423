//! A context without a runner, for unit tests of services.

mod tasks;

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;

use super::heard::{Heard, Said};
use super::{Probe, Reload};
use crate::report::failure::RawFailure;
use crate::report::outcome::Outcome;
use crate::report::state::Phase;
use crate::report::stop_reason::StopReason;
use crate::sync::{CancellationToken, MutexGuard};

use tasks::DetachedTasks;

/// The state that the clones of a detached context share.
pub(super) struct Detached {
    pub(super) token: CancellationToken,
    heard: Arc<Heard>,
    /// `None` in a copy that only waits.
    tasks: Option<DetachedTasks>,
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

    /// A failure of what the service drives.
    pub(super) fn record(&self, fault: RawFailure) {
        self.heard.record(Phase::Run, fault);
    }

    pub(super) fn stop(&self) {
        // The first reason stays.
        if !self.ends() {
            self.said().stops_itself = true;
        }
        self.token.cancel();
    }

    fn ends(&self) -> bool {
        self.token.is_cancelled() || self.heard.drain.is_cancelled()
    }

    /// Returns why the service is to end, once its token is cancelled.
    pub(super) fn reason(&self) -> Option<StopReason> {
        if self.said().stops_itself {
            return Some(StopReason::Own);
        }
        self.ends().then_some(StopReason::Requested)
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
        if let Some(tasks) = &self.tasks {
            let heard = Arc::clone(&self.heard);
            tasks.spawn(name, future, move |fault| {
                heard.record(Phase::Task, fault);
            });
        }
    }

    pub(super) async fn join_tasks(&self) {
        if let Some(tasks) = &self.tasks {
            tasks.join().await;
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
