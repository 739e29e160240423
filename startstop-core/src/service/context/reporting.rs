//! What a service says: that it is alive, in trouble, how far it is, what it wants.

use std::borrow::Cow;

use super::{Context, Link};
use crate::engine::update;
use crate::engine::{record, reporting, request};
use crate::report::failure::RawFailure;
use crate::report::panic::BoxError;

impl Context {
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
        let attempt = match &self.link {
            Link::Attempt(attempt) => attempt,
            Link::Detached(detached) => return detached.said().report(error.into()),
        };
        let fault = RawFailure::reported(error.into());
        let phase = attempt.phase();
        // Handed back if the context is inert, since its drop is user code.
        let _inert = update(attempt.node(), |shared, synced, deferred| {
            if synced.attempts != attempt.epoch() || !synced.life.is_alive() {
                return Some(fault);
            }
            record::failure(synced, shared, phase, fault, deferred);
            None
        });
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
        match &self.link {
            Link::Attempt(attempt) => attempt.node().shared().heartbeat(attempt.epoch()),
            Link::Detached(detached) => detached.said().beat(),
        }
    }

    /// Notes what the service is about to do. A failure of the attempt, an
    /// [`Unresponsive`](crate::Unresponsive) verdict and the [`Status`](crate::Status) name the last checkpoint and its age, so
    /// that whoever reads that a service has hung reads where.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Readiness, Runner, Settings, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let service = service_fn(async |cx| {
    ///     tokio::time::sleep(Duration::from_secs(10)).await;
    ///     cx.checkpoint("connecting to the database");
    ///     std::future::pending::<()>().await
    /// });
    /// let settings = Settings::new().readiness(Readiness::Explicit);
    /// let runner = Runner::with_settings(service, settings);
    /// runner.start().await.unwrap_err(); // after the start timeout, which is 30 s
    ///
    /// let failure = runner.errors_last().unwrap();
    /// assert_eq!(failure.checkpoint(), Some("connecting to the database"));
    /// assert_eq!(failure.checkpoint_age(), Some(Duration::from_secs(20)));
    /// assert_eq!(
    ///     failure.to_string(),
    ///     r#"service "main" timed out in run (cycle 1, attempt 1), 20s after checkpoint "connecting to the database""#
    /// );
    /// # }
    /// ```
    pub fn checkpoint(&self, name: &'static str) {
        match &self.link {
            Link::Attempt(attempt) => update(attempt.node(), |_, synced, deferred| {
                if reporting::is_alive(synced, attempt.epoch()) {
                    reporting::pass_checkpoint(synced, name, deferred);
                }
            }),
            Link::Detached(detached) => detached.said().checkpoint = Some(name),
        }
    }

    /// Sets what the status shows beside the state, until it is set anew or the attempt ends: the fence of a leader, the id of
    /// a process, a number of connections.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     cx.detail("leader, fence 7");
    ///     cx.cancelled().await
    /// }));
    /// runner.start().await.unwrap();
    /// # tokio::task::yield_now().await;
    /// assert_eq!(runner.status().detail(), Some("leader, fence 7"));
    /// runner.stop().await.unwrap();
    /// assert_eq!(runner.status().detail(), None);
    /// # }
    /// ```
    pub fn detail(&self, text: impl Into<Cow<'static, str>>) {
        let text = text.into();
        match &self.link {
            Link::Attempt(attempt) => update(attempt.node(), |_, synced, _| {
                if reporting::is_alive(synced, attempt.epoch()) {
                    reporting::set_detail(synced, text);
                }
            }),
            Link::Detached(detached) => detached.said().detail = Some(text),
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
            Link::Detached(detached) => detached.stop(),
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

    /// Asks for a stop of the outermost whole that the service is a part of, and returns at once: the group of the groups, the
    /// program. Where it is shared that is every outermost whole, where it is alone the service itself.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Exit, Group, Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let console = service_fn(async |cx| {
    ///     // The user has typed `quit`.
    ///     cx.request_shutdown();
    ///     cx.cancelled().await
    /// });
    /// let server = service_fn(async |cx| cx.cancelled().await);
    /// let app = Group::builder("app").with("server", server).then("console", console).build().unwrap();
    /// let app = Runner::new(app);
    /// app.request_start();
    /// assert_eq!(app.wait().await, Exit::Stopped);
    /// # }
    /// ```
    pub fn request_shutdown(&self) {
        match &self.link {
            Link::Attempt(attempt) => request::stop_wholes(attempt.node(), attempt.epoch()),
            Link::Detached(detached) => detached.stop(),
        }
    }
}
