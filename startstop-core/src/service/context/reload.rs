//! A reload request in the hands of the service.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Task, Poll};

use super::Attempt;
use crate::engine::waiters::{Answer, Key, Topic};
use crate::engine::{record, reload, reporting, update};
use crate::report::error::ReloadError;
use crate::report::failure::RawFailure;
use crate::report::panic::BoxError;

/// A reload request, from [`Context::reloaded`](crate::Context::reloaded): the service takes over its new configuration, and answers.
///
/// Dropping it counts as [`done`](Self::done), except when the end of the attempt drops it: then
/// the request is [`Stopped`](ReloadError::Stopped).
///
/// # Examples
///
/// ```
/// use startstop_core::{ReloadError, Runner, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runner = Runner::new(service_fn(async |cx| {
///     while let Some(reload) = cx.run_until_cancelled(cx.reloaded()).await {
///         match tokio::fs::read("/no/such/file").await {
///             Ok(_configuration) => reload.done(),
///             Err(error) => reload.failed(error), // it goes on with the old one
///         }
///     }
/// }));
/// runner.start().await.unwrap();
/// let Err(ReloadError::Failed(failure)) = runner.reload().await else { panic!() };
/// assert!(failure.error().is::<std::io::Error>());
/// runner.stop().await.unwrap();
/// # }
/// ```
#[must_use = "dropped, it is done"]
pub struct Reload {
    answer: Option<ReloadShare>,
}

/// The one who is told of the answer.
enum ReloadShare {
    Attempt(Attempt, u32),
    Function(Box<dyn FnOnce(Result<(), BoxError>) + Send + Sync>),
}

impl Reload {
    fn of(attempt: &Attempt, round: u32) -> Self {
        Self {
            answer: Some(ReloadShare::Attempt(attempt.clone(), round)),
        }
    }

    /// Returns a request that is not one of a runner.
    pub(crate) fn answered_to(
        answer: impl FnOnce(Result<(), BoxError>) + Send + Sync + 'static,
    ) -> Self {
        Self {
            answer: Some(ReloadShare::Function(Box::new(answer))),
        }
    }

    /// Takes a request back that nobody has seen: it is not answered.
    pub(super) fn withdraw(mut self) {
        self.answer = None;
    }

    /// Says that the new configuration is in force.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     cx.reloaded().await.done();
    ///     cx.cancelled().await
    /// }));
    /// runner.start().await.unwrap();
    /// assert!(runner.reload().await.is_ok());
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn done(mut self) {
        match self.answer.take() {
            Some(ReloadShare::Attempt(attempt, round)) => answer(&attempt, round, Ok(())),
            Some(ReloadShare::Function(answer)) => answer(Ok(())),
            None => {}
        }
    }

    /// Says that the new configuration cannot be taken over: the service goes on with the old one. The error is recorded
    /// like a [reported](crate::Context::report) one, and is the answer to the caller of `reload`.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{ReloadError, Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     cx.reloaded().await.failed("the new file is not valid");
    ///     cx.cancelled().await
    /// }));
    /// runner.start().await.unwrap();
    /// assert!(matches!(runner.reload().await, Err(ReloadError::Failed(_))));
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn failed(mut self, error: impl Into<BoxError>) {
        match self.answer.take() {
            Some(ReloadShare::Attempt(attempt, round)) => fail(&attempt, round, error.into()),
            Some(ReloadShare::Function(answer)) => answer(Err(error.into())),
            None => {}
        }
    }

    /// The answer of a whole, which is that of its parts.
    pub(crate) fn answer(mut self, result: Result<(), ReloadError>) {
        match self.answer.take() {
            Some(ReloadShare::Attempt(attempt, round)) => answer(&attempt, round, result),
            Some(ReloadShare::Function(answer)) => answer(result.map_err(Into::into)),
            None => {}
        }
    }
}

fn answer(attempt: &Attempt, round: u32, result: Result<(), ReloadError>) {
    update(attempt.node(), |shared, synced, deferred| {
        reload::answer_of(synced, shared, (attempt.epoch(), round), result, deferred);
    });
}

fn fail(attempt: &Attempt, round: u32, error: BoxError) {
    let fault = RawFailure::reported(error);
    // Handed back if the attempt is over, since its drop is user code.
    let _late = update(attempt.node(), |shared, synced, deferred| {
        if !reporting::is_alive(synced, shared, attempt.epoch()) {
            return Some(fault);
        }
        let failure = record::failure(synced, shared, attempt.phase(), fault, deferred);
        reload::answer(synced, round, Err(ReloadError::Failed(failure)), deferred);
        None
    });
}

impl Drop for Reload {
    fn drop(&mut self) {
        match self.answer.take() {
            Some(ReloadShare::Attempt(attempt, round)) => {
                update(attempt.node(), |shared, synced, deferred| {
                    if shared.is_current(attempt.epoch()) {
                        reload::drop_share(synced, shared, round, deferred);
                    }
                });
            }
            Some(ReloadShare::Function(answer)) => answer(Ok(())),
            None => {}
        }
    }
}

impl fmt::Debug for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reload").finish_non_exhaustive()
    }
}

/// Waits for a reload request.
pub(super) struct Reloaded<'a> {
    attempt: &'a Attempt,
    key: Option<Key>,
}

impl<'a> Reloaded<'a> {
    pub(super) fn new(attempt: &'a Attempt) -> Self {
        Self { attempt, key: None }
    }
}

impl Future for Reloaded<'_> {
    type Output = Reload;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Reload> {
        let Self { attempt, key } = &mut *self;
        let mut old = None;
        if let Some(waiting) = *key {
            // Most polls are about something else.
            let mut synced = attempt.node().shared().synced();
            if !synced.waiters.is_answered(waiting) {
                old = synced.waiters.wake(waiting, task.waker());
                drop(synced);
                drop(old);
                return Poll::Pending;
            }
        }
        let round = update(attempt.node(), |shared, synced, deferred| {
            let Some(waiting) = *key else {
                if !reporting::is_alive(synced, shared, attempt.epoch()) {
                    // No request comes to an attempt that is over.
                    return None;
                }
                let round = reload::take(synced, deferred);
                if round.is_none() {
                    *key = Some(
                        synced
                            .waiters
                            .add_with(Topic::reload(attempt.epoch()), task.waker()),
                    );
                }
                return round;
            };
            match synced.waiters.take(waiting) {
                Some(Answer::Handed(round)) => {
                    *key = None;
                    reload::see(synced, round);
                    Some(round)
                }
                _ => {
                    old = synced.waiters.wake(waiting, task.waker());
                    None
                }
            }
        });
        drop(old);
        round.map_or(Poll::Pending, |round| {
            Poll::Ready(Reload::of(attempt, round))
        })
    }
}

impl Drop for Reloaded<'_> {
    fn drop(&mut self) {
        let Some(key) = self.key.take() else { return };
        let mut synced = self.attempt.node().shared().synced();
        let old = match synced.waiters.take(key) {
            // It was woken and is dropped before it could look.
            Some(Answer::Handed(round)) => {
                reload::give_back(&mut synced, round);
                None
            }
            _ => Some(synced.waiters.remove(key)),
        };
        drop(synced);
        drop(old);
    }
}
