//! The tasks that belong to an attempt.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Task, Poll};

use super::{Attempt, Context, Link};
use crate::engine::waiters::{Key, Topic};
use crate::engine::{task, tasks};
use crate::report::outcome::Outcome;
use crate::service::size::INLINE;

impl Context {
    /// Spawns a task that belongs to the attempt: its error or panic is recorded, and the attempt has
    /// not ended before it has. It is not aborted by a stop before the deadline; let it watch
    /// [`cancelled`](Self::cancelled). [`join_tasks`](Self::join_tasks) waits for its end.
    ///
    /// A task of [`tokio::spawn`], and what a library spawns by itself, is no part of the attempt: it goes on when the service has
    /// stopped.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Phase, Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     cx.spawn(async { Err::<(), _>("disk full") });
    ///     cx.cancelled().await;
    /// }));
    /// runner.start().await.unwrap();
    /// # tokio::task::yield_now().await;
    /// runner.stop().await.unwrap();
    /// assert_eq!(runner.errors_last().unwrap().phase(), Phase::Task);
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// A detached context panics when called outside of a tokio runtime.
    pub fn spawn<F>(&self, future: F)
    where
        F: Future<Output: Outcome> + Send + 'static,
    {
        if const { size_of::<F>() > INLINE } {
            self.spawn_small(None, Box::pin(future));
        } else {
            self.spawn_small(None, future);
        }
    }

    /// Like [`spawn`](Self::spawn), with a name for the task: a failure of it bears the name, and so does the verdict where it
    /// does not yield.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     cx.spawn_named("reader", async { Err::<(), _>("disk full") });
    ///     cx.cancelled().await;
    /// }));
    /// runner.start().await.unwrap();
    /// # tokio::task::yield_now().await;
    /// runner.stop().await.unwrap();
    /// let failure = runner.errors_last().unwrap();
    /// assert_eq!(failure.task(), Some("reader"));
    /// assert_eq!(failure.to_string(), r#"service "main" failed in task "reader" (cycle 1, attempt 1)"#);
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// A detached context panics when called outside of a tokio runtime.
    pub fn spawn_named<F>(&self, name: impl Into<Cow<'static, str>>, future: F)
    where
        F: Future<Output: Outcome> + Send + 'static,
    {
        let name = Some(name.into());
        if const { size_of::<F>() > INLINE } {
            self.spawn_small(name, Box::pin(future));
        } else {
            self.spawn_small(name, future);
        }
    }

    /// A large future comes in a box: it is moved several times on the way.
    fn spawn_small<F>(&self, name: Option<Cow<'static, str>>, future: F)
    where
        F: Future<Output: Outcome> + Send + 'static,
    {
        match &self.link {
            Link::Attempt(attempt) => task::spawn(attempt.node(), attempt.epoch(), name, future),
            Link::Detached(detached) => detached.spawn(name, future),
        }
    }

    /// Waits until the tasks that the attempt has spawned so far have ended. Where a task of the attempt asks, it waits for all
    /// but itself. What is spawned meanwhile is not waited for.
    ///
    /// A stop waits for the tasks anyway. Use it to do something once they have ended, such as to flush what they have written.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn};
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU32, Ordering};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     let written = Arc::new(AtomicU32::new(0));
    ///     for _client in 0..3 {
    ///         let written = written.clone();
    ///         cx.spawn(async move { written.fetch_add(1, Ordering::Relaxed); });
    ///     }
    ///     cx.cancelled().await;
    ///     cx.join_tasks().await;
    ///     assert_eq!(written.load(Ordering::Relaxed), 3);
    /// }));
    /// runner.start().await.unwrap();
    /// runner.stop().await.unwrap();
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped; a new call waits for the tasks that there are then.
    pub async fn join_tasks(&self) {
        match &self.link {
            Link::Attempt(attempt) => Joined { attempt, limit: None, key: None }.await,
            Link::Detached(detached) => detached.join_tasks().await,
        }
    }
}

/// Waits for the end of tasks.
struct Joined<'a> {
    attempt: &'a Attempt,
    /// The first task that is not waited for, once it is known.
    limit: Option<u64>,
    key: Option<Key>,
}

impl Future for Joined<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<()> {
        let Self { attempt, limit, key } = &mut *self;
        let mut synced = attempt.node().shared().synced();
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
        if tasks::has_joined(&synced, attempt.epoch(), limit) {
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
