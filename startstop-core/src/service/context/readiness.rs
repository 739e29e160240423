//! Whether a service can do its job, and how long it may take until it can.

use std::borrow::Cow;
use std::time::Duration;

use super::{Context, Link};
use crate::engine::{reporting, update};

impl Context {
    /// Says that the service can do its job now. Further calls have no effect. Where the readiness is not
    /// [`Explicit`](crate::Readiness::Explicit) it only takes back a [`not_ready`](Self::not_ready).
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
        match &self.link {
            Link::Attempt(attempt) => update(attempt.node(), |shared, synced, deferred| {
                if reporting::is_alive(synced, attempt.epoch()) {
                    reporting::say_ready(synced, shared, deferred);
                }
            }),
            Link::Detached(detached) => detached.said().set_ready(),
        }
    }

    /// Says that for now the service cannot do its job, while it goes on running: a connection is lost, a queue is full. It is
    /// not ready until [`ready`](Self::ready) or the next attempt.
    ///
    /// [`is_ready`](crate::Runner::is_ready) is false meanwhile and the status shows the reason. Callers of `start` that were
    /// answered stay answered, and nothing that depends on the service is held back or stopped. While the service starts, the
    /// reason is only noted.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     cx.not_ready("the database is not reachable");
    ///     tokio::time::sleep(Duration::from_secs(2)).await;
    ///     cx.ready();
    ///     cx.cancelled().await
    /// }));
    /// runner.start().await.unwrap();
    /// tokio::time::sleep(Duration::from_secs(1)).await;
    /// assert!(runner.is_running() && !runner.is_ready());
    /// assert_eq!(runner.status().not_ready_reason(), Some("the database is not reachable"));
    /// tokio::time::sleep(Duration::from_secs(2)).await;
    /// assert!(runner.is_ready());
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn not_ready(&self, reason: impl Into<Cow<'static, str>>) {
        let reason = reason.into();
        match &self.link {
            Link::Attempt(attempt) => update(attempt.node(), |shared, synced, deferred| {
                if reporting::is_alive(synced, attempt.epoch()) {
                    reporting::say_not_ready(synced, shared, reason, deferred);
                }
            }),
            Link::Detached(detached) => detached.said().set_not_ready(reason),
        }
    }

    /// Puts the [`start_timeout`](crate::Settings::start_timeout) off: while it starts, the service does not count as late before
    /// this duration from now has passed. It may be called as often as needed, and never shortens the time. It extends no timeout
    /// of a whole that the service is a part of.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Readiness, Runner, Settings, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let index = service_fn(async |cx| {
    ///     for _part in 0..20 {
    ///         cx.extend(Duration::from_secs(10)); // as long as it gets on
    ///         tokio::time::sleep(Duration::from_secs(5)).await;
    ///     }
    ///     cx.ready();
    ///     cx.cancelled().await
    /// });
    /// let runner = Runner::with_settings(index, Settings::new().readiness(Readiness::Explicit));
    /// runner.start().await.unwrap(); // after 100 s, although the timeout is 30 s
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn extend(&self, duration: Duration) {
        let Some(attempt) = self.attempt_link() else { return };
        update(attempt.node(), |_, synced, deferred| {
            if reporting::is_alive(synced, attempt.epoch()) {
                reporting::extend_start(synced, duration, deferred);
            }
        });
    }
}
