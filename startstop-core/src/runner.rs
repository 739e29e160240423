//! The runner: drives one service through its life, again and again, and remembers what went wrong.

mod bell;
mod part;
mod start_stop;
mod watch;
mod weak;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::core::{Core, Node};
use crate::driver::Inner;
use crate::error::{StartError, StopError};
use crate::failure::Failure;
use crate::history::History;
use crate::name;
use crate::parent::Parent;
use crate::request::{self, How, Wanted};
use crate::service::{Service, has_shutdown};
use crate::settings::{Resolved, Settings};
use crate::snapshot;
use crate::state::{Exit, State};
use crate::status::Status;
use crate::sync::CancellationToken;
use crate::ticket::{ask, redeem};
use crate::waiters::Answer;

pub use start_stop::StartStop;
pub use watch::StateWatch;
pub use weak::WeakRunner;

/// Starts, stops, restarts and watches one service.
///
/// Clones drive the same service, from any thread. When the last clone is dropped the service is asked
/// to stop; [`detach`](Self::detach) prevents that.
///
/// # Examples
///
/// ```
/// use startstop_core::{Runner, State, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
///
/// runner.start().await?;
/// assert!(runner.is_running());
/// runner.restart().await?;
/// runner.stop().await?;
/// assert_eq!(runner.state(), State::Stopped);
/// assert!(runner.errors_list().is_empty());
/// # Ok(())
/// # }
/// ```
pub struct Runner<S: Service> {
    inner: Arc<Inner<S>>,
}

impl<S: Service> Runner<S> {
    /// A runner for a service, stopped. It needs no runtime.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Runner, service_fn};
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// assert!(!runner.is_running());
    /// ```
    pub fn new(service: S) -> Self {
        Self::with_settings(service, Settings::new())
    }

    /// A runner with settings that come before those of the service itself.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Runner, Settings, service_fn};
    /// let service = service_fn(async |cx| cx.cancelled().await);
    /// let runner = Runner::with_settings(service, Settings::new().name("idle"));
    /// assert_eq!(runner.name(), "idle");
    /// ```
    pub fn with_settings(service: S, settings: Settings) -> Self {
        let mut settings = settings.or(service.settings());
        if settings.get_name().is_none() {
            if let std::borrow::Cow::Owned(name) = name::of_type::<S>() {
                settings = settings.name(name);
            }
        }
        let core =
            Core::new(Resolved::new(settings), name::of_plain_type::<S>, has_shutdown::<S>());
        Self { inner: Arc::new(Inner { core, service }) }
    }

    /// Starts the service. A service that is running is stopped first, with its own timeouts; one that
    /// is starting is joined.
    ///
    /// It returns when the service is ready, or has completed, or cannot become ready. The cycle runs
    /// on the runtime of the caller.
    ///
    /// # Examples
    ///
    /// See [`Runner`].
    ///
    /// # Errors
    ///
    /// - [`Failed`](StartError::Failed): it ended in failure before it was ready, and no policy restarts it.
    /// - [`TimedOut`](StartError::TimedOut): it was not ready within `start_timeout`, and no attempt follows.
    /// - [`Stopped`](StartError::Stopped): a stop came.
    /// - [`Unresponsive`](StartError::Unresponsive): the previous cycle still has not ended.
    /// - [`NoRuntime`](StartError::NoRuntime): the call was made outside of tokio.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the start goes on to its end when this future is dropped.
    pub async fn start(&self) -> Result<(), StartError> {
        self.ask_for_start(How::Anew).await
    }

    /// Like [`start`](Self::start), with a parent whose cancellation is a [`stop`](Self::stop).
    ///
    /// The parent belongs to the runner until the next `start` or `start_with`: restarts keep it, and
    /// give [`Cancelled`](StartError::Cancelled) once it is cancelled.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Exit, Runner, service_fn};
    /// use tokio_util::sync::CancellationToken;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let app = CancellationToken::new();
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// runner.start_with(&app).await.unwrap();
    /// app.cancel();
    /// assert_eq!(runner.wait().await, Exit::Stopped);
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`start`](Self::start), and [`Cancelled`](StartError::Cancelled): the parent was
    /// cancelled already. Then nothing has happened.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the start goes on to its end when this future is dropped.
    pub async fn start_with(&self, parent: &CancellationToken) -> Result<(), StartError> {
        let parent = Arc::new(Parent::new(parent.clone()));
        let request = |wanted: Wanted<'_>| {
            let reply = request::start(&self.inner, How::Anew, Some(&parent), wanted);
            // After the start is registered, since a parent that is cancelled meanwhile stops it.
            self.watch_parent(&parent);
            reply
        };
        ask(&self.inner, request, Answer::start).await
    }

    /// Starts the service unless it is running.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Runner, service_fn};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// runner.ensure_running().await.unwrap();
    /// runner.ensure_running().await.unwrap();
    /// assert_eq!(runner.status().cycles(), 1);
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`start`](Self::start), and [`Cancelled`](StartError::Cancelled): the parent of the
    /// last `start_with` is cancelled.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the start goes on to its end when this future is dropped.
    pub async fn ensure_running(&self) -> Result<(), StartError> {
        self.ask_for_start(How::Ensure).await
    }

    /// Stops the service within its own `stop_timeout`. A stop cancels every start and restart that was
    /// asked for before it.
    ///
    /// It returns when nothing of the service runs any more, or when that was given up. Every
    /// concurrent caller gets the same outcome.
    ///
    /// # Examples
    ///
    /// See [`Runner`].
    ///
    /// # Errors
    ///
    /// - [`Failed`](StopError::Failed): something failed after the stop had begun; the service is stopped.
    /// - [`TimedOut`](StopError::TimedOut): it did not end in time and was aborted; it is stopped.
    /// - [`Unresponsive`](StopError::Unresponsive): it does not yield; the state stays `Stopping` until it does.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the stop goes on to its end when this future is dropped.
    pub async fn stop(&self) -> Result<(), StopError> {
        ask(&self.inner, |wanted| request::stop(&self.inner, None, wanted), Answer::stop).await
    }

    /// Like [`stop`](Self::stop), within `timeout`. Zero makes the abort the request: `shutdown` is not
    /// called, and an end by abort is no error. [`Duration::MAX`] waits for ever. It can shorten a stop
    /// in progress, never extend it.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Exit, Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |_cx| std::future::pending::<()>().await));
    /// runner.start().await.unwrap();
    /// runner.stop_within(Duration::ZERO).await.unwrap();
    /// assert_eq!(runner.wait().await, Exit::Aborted);
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`stop`](Self::stop).
    ///
    /// # Cancel safety
    ///
    /// Once polled, the stop goes on to its end when this future is dropped.
    pub async fn stop_within(&self, timeout: Duration) -> Result<(), StopError> {
        let request = |wanted: Wanted<'_>| request::stop(&self.inner, Some(timeout), wanted);
        ask(&self.inner, request, Answer::stop).await
    }

    /// Stops the service if need be, and starts it.
    ///
    /// # Examples
    ///
    /// See [`Runner`].
    ///
    /// # Errors
    ///
    /// Those of [`start`](Self::start), and [`Cancelled`](StartError::Cancelled): the parent of the
    /// last `start_with` is cancelled.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the restart goes on to its end when this future is dropped.
    pub async fn restart(&self) -> Result<(), StartError> {
        self.ask_for_start(How::Again).await
    }

    /// Begins a start and returns at once; what becomes of it is in the status and the history. On a
    /// thread without a runtime the service goes where it ran before.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Runner, State, service_fn};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// runner.request_start();
    /// runner.wait_for(State::Running).await;
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn request_start(&self) {
        request::start(&self.inner, How::Anew, None, Wanted::No);
    }

    /// Begins a stop and returns at once.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Runner, State, service_fn};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// runner.start().await.unwrap();
    /// runner.request_stop();
    /// runner.wait_for(State::Stopped).await;
    /// # }
    /// ```
    pub fn request_stop(&self) {
        request::stop(&self.inner, None, Wanted::No);
    }

    /// Begins a restart and returns at once.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Runner, service_fn};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// runner.start().await.unwrap();
    /// runner.request_restart();
    /// runner.wait().await; // the first cycle has ended
    /// assert_eq!(runner.status().cycles(), 2);
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn request_restart(&self) {
        request::start(&self.inner, How::Again, None, Wanted::No);
    }

    /// Wakes [`cx.reloaded()`](crate::Context::reloaded). Nothing restarts. A service that is not
    /// running misses nothing: it reads its configuration when it starts.
    ///
    /// # Examples
    ///
    /// See [`Context::reloaded`](crate::Context::reloaded).
    pub fn reload(&self) {
        request::reload(&self.inner);
    }

    /// Whether the state is [`Running`](State::Running): one atomic load.
    ///
    /// # Examples
    ///
    /// See [`Runner`].
    pub fn is_running(&self) -> bool {
        self.inner.core.word.read().is_running()
    }

    /// Whether the service can do its job, or has done it: it is running and not draining, or it is a
    /// job that is done. One atomic load.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Runner, once};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let job = Runner::new(once(async |_cx| ()));
    /// assert!(!job.is_ready());
    /// job.start().await.unwrap();
    /// assert!(job.is_ready());
    /// # }
    /// ```
    pub fn is_ready(&self) -> bool {
        self.inner.core.word.read().is_ready()
    }

    /// How long the service has been running: zero in every state but [`Running`](State::Running).
    /// Takes no lock.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// # use startstop_core::{Runner, service_fn};
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// runner.start().await.unwrap();
    /// tokio::time::sleep(Duration::from_secs(2)).await;
    /// assert_eq!(runner.uptime().as_secs(), 2);
    /// runner.stop().await.unwrap();
    /// assert_eq!(runner.uptime(), Duration::ZERO);
    /// # }
    /// ```
    pub fn uptime(&self) -> Duration {
        self.inner.core.word.read().uptime()
    }

    /// Where the service is in its life: one atomic load.
    ///
    /// # Examples
    ///
    /// See [`Runner`].
    pub fn state(&self) -> State {
        self.inner.core.word.read().state()
    }

    /// The name of the service: from the settings, or that of its type.
    ///
    /// # Examples
    ///
    /// See [`with_settings`](Self::with_settings).
    pub fn name(&self) -> &str {
        self.inner.core.name()
    }

    /// The last failure of the current or most recent cycle.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Runner, once};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |_cx| Err::<(), _>("no such table")));
    /// assert!(runner.errors_last().is_none());
    /// let _ = runner.start().await;
    /// assert_eq!(runner.errors_last().unwrap().error().to_string(), "no such table");
    /// # }
    /// ```
    pub fn errors_last(&self) -> Option<Failure> {
        snapshot::errors_last(&self.inner.core)
    }

    /// The failures of the current or most recent cycle, oldest first, as far as the history holds
    /// them. A start clears the list, restarts of a policy do not.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Runner, once};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |cx| {
    ///     cx.report("row 7 is odd");
    ///     cx.report("row 9 is odd");
    /// }));
    /// runner.start().await.unwrap();
    /// assert_eq!(runner.errors_list().len(), 2);
    /// # }
    /// ```
    pub fn errors_list(&self) -> Vec<Failure> {
        snapshot::errors_list(&self.inner.core)
    }

    /// The failures of all cycles: a snapshot that costs the same at any size.
    ///
    /// # Examples
    ///
    /// See [`History`].
    pub fn history(&self) -> History {
        self.inner.core.cell().history()
    }

    /// What the service looks like now, with what it is made of.
    ///
    /// # Examples
    ///
    /// See [`Status`].
    pub fn status(&self) -> Status {
        snapshot::status(&*self.inner)
    }

    /// Waits until the cycle that is current now, at this call, has ended: how it did. For a runner that
    /// is stopped it is the end of the last cycle.
    ///
    /// # Examples
    ///
    /// See [`Exit`].
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped; a new call waits for the cycle that is current then.
    pub fn wait(&self) -> impl Future<Output = Exit> + Send + use<'_, S> {
        redeem(&self.inner, request::wait(&self.inner.core), Answer::end)
    }

    /// Waits until the service is in a state, or has been in it since this call.
    ///
    /// # Examples
    ///
    /// See [`request_start`](Self::request_start).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped; a new call sees the states from then on.
    pub fn wait_for(&self, state: State) -> impl Future<Output = ()> + Send + use<'_, S> {
        redeem(&self.inner, request::wait_for(&self.inner.core, state), Answer::seen)
    }

    /// A watch on the state.
    ///
    /// # Examples
    ///
    /// See [`StateWatch`].
    pub fn subscribe(&self) -> StateWatch {
        StateWatch::new(Arc::clone(&self.inner) as Arc<dyn Node>)
    }

    /// The service itself.
    ///
    /// # Examples
    ///
    /// See [`service_fn_with`](crate::service_fn_with).
    pub fn service(&self) -> &S {
        &self.inner.service
    }

    /// A handle that does not keep the service running.
    ///
    /// # Examples
    ///
    /// See [`WeakRunner`].
    pub fn downgrade(&self) -> WeakRunner<S> {
        WeakRunner::new(&self.inner)
    }

    /// Keeps the service running after the last clone is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Runner, service_fn};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// runner.start().await.unwrap();
    /// let weak = runner.downgrade();
    /// runner.detach();
    /// assert!(weak.upgrade().unwrap().is_running());
    /// # }
    /// ```
    pub fn detach(self) {
        self.inner.core.detached.store(true, Ordering::Release);
    }

    async fn ask_for_start(&self, how: How) -> Result<(), StartError> {
        ask(&self.inner, |wanted| request::start(&self.inner, how, None, wanted), Answer::start)
            .await
    }

    /// What the clones share.
    #[cfg(feature = "signal")]
    pub(crate) fn inner(&self) -> &Arc<Inner<S>> {
        &self.inner
    }

    /// The service with its core, whatever its type.
    pub(crate) fn node(&self) -> Arc<dyn Node> {
        Arc::clone(&self.inner) as Arc<dyn Node>
    }

    /// A handle that is counted already.
    pub(crate) fn of_inner(inner: Arc<Inner<S>>) -> Self {
        Self { inner }
    }
}

impl<S: Service> Clone for Runner<S> {
    fn clone(&self) -> Self {
        self.inner.core.handles.fetch_add(1, Ordering::Relaxed);
        Self { inner: Arc::clone(&self.inner) }
    }
}

/// The last clone asks for a stop, unless the runner was detached.
impl<S: Service> Drop for Runner<S> {
    fn drop(&mut self) {
        let core = &self.inner.core;
        if core.handles.fetch_sub(1, Ordering::AcqRel) > 1 {
            return;
        }
        if !core.detached.load(Ordering::Acquire) {
            request::stop(&self.inner, None, Wanted::No);
        }
        request::tell_watchers(&self.inner);
    }
}

impl<S: Service> fmt::Debug for Runner<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner")
            .field("name", &self.name())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
