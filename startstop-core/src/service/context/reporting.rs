//! The reports of a service: readiness, errors, signs of life, what it wants, and the tasks that it spawns.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::tasks::Joined;
use super::waiting::Waiting;
use super::{Context, Link};
use crate::engine::burst::pass_on_woken;
use crate::engine::{Deferred, Node, Shared, Synced, record, reporting, request, task, update};
use crate::report::failure::RawFailure;
use crate::report::outcome::Outcome;
use crate::report::panic::BoxError;
use crate::service::size::INLINE;

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
    /// assert!(runner.is_ready());
    /// runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn ready(&self) {
        match &self.link {
            Link::Attempt(attempt) => telling(attempt.node(), |shared, synced, deferred| {
                if reporting::is_alive(synced, shared, attempt.epoch()) {
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
            Link::Attempt(attempt) => telling(attempt.node(), |shared, synced, deferred| {
                if reporting::is_alive(synced, shared, attempt.epoch()) {
                    reporting::say_not_ready(synced, shared, reason, deferred);
                }
            }),
            Link::Detached(detached) => detached.said().set_not_ready(reason),
        }
    }

    /// Extends the [`start_timeout`](crate::Settings::start_timeout): while it starts, the service
    /// does not count as late until this duration from now has passed. It may be called as often as
    /// needed, and never shortens the time. It does not extend the timeout of an owner, such as a
    /// group.
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
    /// assert!(runner.is_ready());
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn extend(&self, duration: Duration) {
        let Some(attempt) = self.attempt_link() else {
            return;
        };
        update(attempt.node(), |shared, synced, deferred| {
            if reporting::is_alive(synced, shared, attempt.epoch()) {
                reporting::extend_start(synced, duration, deferred);
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
        // Outside of all locks: it is user code.
        let fault = RawFailure::reported(error.into());
        let attempt = match &self.link {
            Link::Attempt(attempt) => attempt,
            Link::Detached(detached) => return detached.record(fault),
        };
        let phase = attempt.phase();
        // Handed back if the context is inert, since its drop is user code.
        let _inert = update(attempt.node(), |shared, synced, deferred| {
            if !reporting::is_alive(synced, shared, attempt.epoch()) {
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

    /// Returns the longest silence between two [heartbeats](Self::heartbeat) that the [watchdog](crate::Settings::watchdog) of the
    /// service allows, whoever has set it; `None` without a watchdog, and for a detached context.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Context, Runner, Settings, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let service = service_fn(async |cx: Context| {
    ///     let half = cx.watchdog().map(|silence| silence / 2);
    ///     let mut work = tokio::time::interval(half.unwrap_or(Duration::from_secs(60)));
    ///     while cx.run_until_cancelled(work.tick()).await.is_some() {
    ///         cx.heartbeat();
    ///     }
    /// });
    /// let runner = Runner::with_settings(service, Settings::new().watchdog(Duration::from_secs(3)));
    /// runner.start().await.unwrap();
    /// tokio::time::sleep(Duration::from_secs(60)).await;
    /// assert!(runner.is_running());
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn watchdog(&self) -> Option<Duration> {
        self.attempt_link()?.node().shared().settings.watchdog()
    }

    /// Notes what the service is about to do. A failure of the attempt, an
    /// [`Unresponsive`](crate::Unresponsive) error and the [`Status`](crate::Status) name the last
    /// checkpoint and its age, so that a report of a hang says where it is.
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
            Link::Attempt(attempt) => update(attempt.node(), |shared, synced, deferred| {
                if reporting::is_alive(synced, shared, attempt.epoch()) {
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
            Link::Attempt(attempt) => update(attempt.node(), |shared, synced, _| {
                if reporting::is_alive(synced, shared, attempt.epoch()) {
                    reporting::set_detail(synced, text);
                }
            }),
            Link::Detached(detached) => detached.said().detail = Some(text),
        }
    }

    /// Sets a number that the status and the metrics show under this name, until it is set anew or the attempt ends: the fence of
    /// a leader, the length of a queue. A few names, known when the program is written.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     cx.gauge("queued", 3.0);
    ///     cx.gauge("queued", 2.0);
    ///     cx.cancelled().await
    /// }));
    /// runner.start().await.unwrap();
    /// # tokio::task::yield_now().await;
    /// assert_eq!(runner.status().gauges(), [("queued", 2.0)]);
    /// runner.stop().await.unwrap();
    /// assert!(runner.status().gauges().is_empty());
    /// # }
    /// ```
    pub fn gauge(&self, name: &'static str, value: f64) {
        match &self.link {
            Link::Attempt(attempt) => update(attempt.node(), |shared, synced, _| {
                if reporting::is_alive(synced, shared, attempt.epoch()) {
                    reporting::set_gauge(synced, name, value);
                }
            }),
            Link::Detached(detached) => {
                reporting::put_gauge(&mut detached.said().gauges, name, value);
            }
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
            Link::Attempt(attempt) => {
                request::stop_attempt(attempt.node(), attempt.epoch());
                pass_on_woken();
            }
            Link::Detached(detached) => detached.stop(),
        }
    }

    /// Asks its own runner for a restart and returns at once. A detached context does nothing, nor does that of a member which its
    /// group drains, stops or restarts: then the group says whether it comes up again.
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
            pass_on_woken();
        }
    }

    /// Asks for a stop of the outermost owner of the service, such as the group that is the whole
    /// program, and returns at once. A shared service asks all its outermost owners, and a service
    /// without an owner asks for its own stop.
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
            Link::Attempt(attempt) => {
                request::stop_outermost_owners(attempt.node(), attempt.epoch());
                pass_on_woken();
            }
            Link::Detached(detached) => detached.stop(),
        }
    }

    /// Spawns a task that belongs to the attempt: its error or panic is recorded, and the attempt has
    /// not ended before it has. It is not aborted by a stop before the deadline; let it watch
    /// [`cancelled`](Self::cancelled). [`join_tasks`](Self::join_tasks) waits for its end.
    ///
    /// A task of [`tokio::spawn`], also one that a library spawns by itself, is no part of the attempt: it goes on when the
    /// service has stopped.
    ///
    /// A failure of a task ends neither the service nor another task. Where the service is nothing without the task, `run` waits
    /// for its outcome:
    ///
    /// ```
    /// use startstop_core::{BoxError, Exit, Runner, service_fn};
    /// use tokio::sync::oneshot;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| -> Result<(), BoxError> {
    ///     let (tell, outcome) = oneshot::channel();
    ///     cx.spawn(async { drop(tell.send(Err("disk full"))) });
    ///     match cx.run_until_cancelled(outcome).await {
    ///         Some(outcome) => Ok(outcome??), // also an error if the task has panicked
    ///         None => Ok(()),
    ///     }
    /// }));
    /// runner.start().await.unwrap();
    /// assert_eq!(runner.wait().await, Exit::Failed);
    /// # }
    /// ```
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
            self.spawn_large(None, Box::pin(future));
        } else {
            self.spawn_small(None, future);
        }
    }

    /// Spawns a task like [`spawn`](Self::spawn), with a name: its failures carry the name, and so does
    /// [`Unresponsive`](crate::Unresponsive) if the task does not yield.
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
            self.spawn_large(name, Box::pin(future));
        } else {
            self.spawn_small(name, future);
        }
    }

    /// A large future comes in a box: it is moved several times on the way.
    fn spawn_large<F>(&self, name: Option<Cow<'static, str>>, future: Pin<Box<F>>)
    where
        F: Future<Output: Outcome> + Send + 'static,
    {
        match &self.link {
            Link::Attempt(attempt) => {
                task::spawn_boxed(attempt.node(), attempt.epoch(), name, future);
            }
            Link::Detached(detached) => detached.spawn(name, future),
        }
    }

    fn spawn_small<F>(&self, name: Option<Cow<'static, str>>, future: F)
    where
        F: Future<Output: Outcome> + Send + 'static,
    {
        match &self.link {
            Link::Attempt(attempt) => task::spawn(attempt.node(), attempt.epoch(), name, future),
            Link::Detached(detached) => detached.spawn(name, future),
        }
    }

    /// Waits until the tasks that the attempt has spawned so far have ended. When called from a
    /// task of the attempt, it waits for all the others. Tasks spawned meanwhile are not waited
    /// for.
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
            Link::Attempt(attempt) => Joined::new(attempt).await,
            Link::Detached(detached) => detached.join_tasks().await,
        }
    }

    /// Counts as a sign of life for as long as the result is kept; free where there is no watchdog.
    pub(crate) fn waiting(&self) -> Waiting<'_> {
        Waiting::new(self.attempt_link())
    }
}

/// A change of which others are told, from within `run`.
fn telling(node: &Arc<dyn Node>, change: impl FnOnce(&Shared, &mut Synced, &mut Deferred)) {
    let shown = || {
        let snapshot = node.shared().atomic_state.read();
        (snapshot.state(), snapshot.is_ready())
    };
    let before = shown();
    update(node, change);
    if shown() != before {
        pass_on_woken();
    }
}
