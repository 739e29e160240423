//! A context without a runner, for unit tests of services.

use std::future::Future;
use std::sync::PoisonError;

use tokio::task::JoinSet;

use crate::outcome::Outcome;
use crate::sync::{CancellationToken, Mutex};

/// What the clones of a detached context share.
pub(super) struct Detached {
    pub(super) token: CancellationToken,
    /// Aborts its tasks when it is dropped.
    tasks: Mutex<JoinSet<()>>,
}

impl Detached {
    pub(super) fn new(token: CancellationToken) -> Self {
        Self { token, tasks: Mutex::default() }
    }

    pub(super) fn spawn<F>(&self, future: F)
    where
        F: Future<Output: Outcome> + Send + 'static,
    {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            // There is no history to record an error in.
            drop(future.await);
        });
    }
}
