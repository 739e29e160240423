//! A context without a runner, for unit tests of services.

use std::future::Future;
use std::sync::{Arc, PoisonError};

use tokio::task::JoinSet;

use super::{Context, Link};
use crate::report::outcome::Outcome;
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

impl Context {
    /// The same for who only waits: with a detached context one that does not keep its tasks.
    pub(super) fn without_tasks(&self) -> Self {
        match &self.link {
            Link::Attempt(_) => self.clone(),
            Link::Detached(detached) => Self::detached(detached.token.clone()),
        }
    }

    /// A context without a runner, for calling `service.run(cx)` in a unit test.
    ///
    /// `token` is its cancellation. [`ready`](Self::ready), [`report`](Self::report) and
    /// [`heartbeat`](Self::heartbeat) do nothing; [`spawn`](Self::spawn) uses the current runtime, and
    /// its tasks end with the last clone of the context. [`request_stop`](Self::request_stop) cancels `token`
    /// itself, [`request_restart`](Self::request_restart) does nothing, [`reloaded`](Self::reloaded) waits for
    /// ever, and there is no [`deadline`](Self::deadline).
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
        Self { link: Link::Detached(Arc::new(Detached::new(token))) }
    }
}
