//! What a service says: that it is ready, alive, in trouble, what belongs to it, what it wants.

use std::future::Future;

use super::{Context, Link};
use crate::engine::request;
use crate::engine::task;
use crate::engine::{Arm, update};
use crate::report::failure::Fault;
use crate::report::outcome::Outcome;
use crate::report::panic::BoxError;
use crate::rules::lifecycle::Input;

impl Context {
    /// Says that the service can do its job now. Saying it twice is fine; it means nothing where the
    /// readiness is not [`Explicit`](crate::Readiness::Explicit).
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Readiness, Runner, Settings, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let server = service_fn(async |cx| {
    ///     let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    ///     cx.ready();
    ///     while let Some(client) = cx.run_until_cancelled(listener.accept()).await {
    ///         drop(client?);
    ///     }
    ///     Ok::<(), std::io::Error>(())
    /// });
    /// let settings = Settings::new().readiness(Readiness::Explicit);
    /// let runner = Runner::with_settings(server, settings);
    /// runner.start().await.unwrap(); // returns once the port is bound
    /// runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn ready(&self) {
        let Some(attempt) = self.attempt_link() else { return };
        update(attempt.node(), |core, cell, after| {
            if cell.attempts == attempt.epoch() {
                cell.step(core, Input::Ready, Arm::Now, after);
            }
        });
    }

    /// Records a failure without ending the service.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Cause, Runner, once};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |cx| cx.report("a message was not understood")));
    /// runner.start().await.unwrap();
    /// assert_eq!(runner.errors_last().unwrap().cause(), Cause::Reported);
    /// # }
    /// ```
    pub fn report(&self, error: impl Into<BoxError>) {
        let Some(attempt) = self.attempt_link() else { return };
        let fault = Fault::reported(error.into());
        let phase = attempt.phase();
        // Handed back if the context is inert, since its drop is foreign code.
        let _inert = update(attempt.node(), |core, cell, after| {
            if cell.attempts != attempt.epoch() || !cell.life.is_alive() {
                return Some(fault);
            }
            cell.record(core, phase, fault, after);
            None
        });
    }

    /// Spawns a task that belongs to the attempt: its error or panic is recorded, and the attempt has
    /// not ended before it has. It is not aborted by a stop before the deadline; let it watch
    /// [`cancelled`](Self::cancelled).
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
        match &self.link {
            Link::Attempt(attempt) => task::spawn(attempt.node(), attempt.epoch(), future),
            Link::Detached(detached) => detached.spawn(future),
        }
    }

    /// Tells the watchdog that the service is alive. Free where none is set; else one atomic store.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Runner, Settings, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let service = service_fn(async |cx| {
    ///     let mut work = tokio::time::interval(Duration::from_secs(1));
    ///     while cx.run_until_cancelled(work.tick()).await.is_some() {
    ///         cx.heartbeat();
    ///     }
    /// });
    /// let settings = Settings::new().watchdog(Duration::from_secs(3));
    /// let runner = Runner::with_settings(service, settings);
    /// runner.start().await.unwrap();
    /// tokio::time::sleep(Duration::from_secs(60)).await;
    /// assert!(runner.is_running());
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn heartbeat(&self) {
        if let Some(attempt) = self.attempt_link() {
            attempt.node().core().heartbeat(attempt.epoch());
        }
    }

    /// Asks its own runner for a stop and returns at once. A service that awaited its own `stop()`
    /// inside `run` would wait for itself until the deadline.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Exit, Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     cx.request_stop();
    ///     cx.cancelled().await;
    /// }));
    /// runner.start().await.unwrap();
    /// assert_eq!(runner.wait().await, Exit::Stopped);
    /// # }
    /// ```
    pub fn request_stop(&self) {
        match &self.link {
            Link::Attempt(attempt) => request::stop_attempt(attempt.node(), attempt.epoch()),
            Link::Detached(detached) => detached.token.cancel(),
        }
    }

    /// Asks its own runner for a restart and returns at once. A detached context does nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Exit, Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     if cx.cycle() == 1 {
    ///         cx.request_restart();
    ///         cx.cancelled().await;
    ///     }
    /// }));
    /// runner.start().await.unwrap();
    /// while runner.wait().await != Exit::Completed {}
    /// assert_eq!(runner.status().cycles(), 2);
    /// # }
    /// ```
    pub fn request_restart(&self) {
        if let Link::Attempt(attempt) = &self.link {
            request::restart_attempt(attempt.node(), attempt.epoch());
        }
    }
}
