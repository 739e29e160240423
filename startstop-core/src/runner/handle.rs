//! The runner as a handle: made of a service, told to start, stop, restart and reload, cloned, let go.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::{Runner, WeakRunner, driver, parent_waker};
use crate::engine::parent::Parent;
use crate::engine::request::pending::ask;
use crate::engine::request::{self, Caller, StartKind};
use crate::engine::waiters::Answer;
use crate::engine::{Mark, Node, Shared, burst, gate};
use crate::report::error::{ReloadError, StartError, StopError};
use crate::runner::driver::Inner;
use crate::service::name;
use crate::service::{Owner, Service};
use crate::settings::{Resolved, ServiceTraits, Settings, TypeName};
use crate::sync::CancellationToken;

impl<S: Service> Runner<S> {
    /// Makes a runner for a service, stopped. It needs no runtime.
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

    /// Makes a runner with settings that come before those of the service itself.
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
        let traits = ServiceTraits {
            has_shutdown: service.__has_shutdown(),
            is_owner: service.__is_owner(),
        };
        let type_name = TypeName {
            plain: name::of_plain_type::<S>,
            with_parameters: name::of_type_with_parameters(std::any::type_name::<S>()),
        };
        let settings = Resolved::new(settings, service.settings(), type_name, traits);
        let inner = Arc::new(Inner {
            shared: Shared::new(settings),
            service,
        });
        // Those of a group may come later.
        if inner.service.__is_owner() || !inner.service.__parts().0.is_empty() {
            inner.shared.marks.set(Mark::IsComposite);
        }
        let node: Weak<dyn Node> = Arc::downgrade(&inner) as Weak<dyn Node>;
        inner.service.__bind(Owner(node));
        Self::of_node(inner)
    }

    /// Returns the service itself.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Group, Runner, once};
    ///
    /// let app = Group::builder("app").with("db", once(async |_cx| ())).build().unwrap();
    /// let app = Runner::new(app);
    /// assert_eq!(app.service().members(), ["db"]);
    /// ```
    pub fn service(&self) -> &S {
        driver::service_of(self.inner())
    }

    /// Returns a handle that does not keep the service running.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, once};
    ///
    /// let runner = Runner::new(once(async |_cx| ()));
    /// let weak = runner.downgrade();
    /// assert!(weak.upgrade().is_some());
    /// drop(runner);
    /// assert!(weak.upgrade().is_none());
    /// ```
    pub fn downgrade(&self) -> WeakRunner<S> {
        WeakRunner::new(self.inner())
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
        self.inner().shared().marks.set(Mark::Detached);
    }

    /// Returns the service with its engine.
    #[inline]
    pub(crate) fn inner(&self) -> &Arc<dyn Node> {
        self.node.as_ref().expect("it is there until it is dropped")
    }

    /// Returns the service with its engine, whatever its type.
    pub(crate) fn node(&self) -> Arc<dyn Node> {
        Arc::clone(self.inner())
    }

    /// Returns a handle that is counted already.
    pub(crate) fn of_node(node: Arc<dyn Node>) -> Self {
        Self {
            node: Some(node),
            service: PhantomData,
        }
    }

    /// Starts the service. A service that is running is stopped first, with its own timeouts; a start in progress is joined.
    ///
    /// It returns when the service is ready, or has completed, or cannot become ready. The cycle runs
    /// on the runtime of the caller.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, StartError, once, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// runner.start().await.unwrap();
    /// assert!(runner.is_running());
    /// # runner.stop().await.unwrap();
    ///
    /// let broken = Runner::new(once(async |_cx| Err::<(), _>("no such file")));
    /// assert!(matches!(broken.start().await, Err(StartError::Failed(_))));
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Failed`](StartError::Failed): it ended in failure before it was ready, and no policy restarts it.
    /// - [`TimedOut`](StartError::TimedOut): it was not ready within `start_timeout`, and no attempt follows.
    /// - [`Stopped`](StartError::Stopped): a stop came.
    /// - [`Unresponsive`](StartError::Unresponsive): this attempt, or the cycle before it, was aborted and still has not ended.
    /// - [`NoRuntime`](StartError::NoRuntime): the call was made outside of tokio, or in a runtime without timers.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the start goes on to its end when this future is dropped.
    pub async fn start(&self) -> Result<(), StartError> {
        self.ask_for_start(StartKind::Start).await
    }

    /// Does the same as [`start`](Self::start), with a parent whose cancellation is a [`stop`](Self::stop).
    ///
    /// The parent belongs to the runner until the next `start` or `start_with`: restarts keep it, and give
    /// [`Cancelled`](StartError::Cancelled) once it is cancelled. If a [group](crate::Group) starts the runner as its
    /// member, that counts as `start`, and its restarts count as restarts; a runner that is running already keeps its
    /// parent.
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
    /// The errors of [`start`](Self::start), and [`Cancelled`](StartError::Cancelled): the parent was
    /// cancelled already. Then nothing has happened.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the start goes on to its end when this future is dropped.
    pub async fn start_with(&self, parent: &CancellationToken) -> Result<(), StartError> {
        let parent = Arc::new(Parent::new(parent.clone()));
        let request = |wanted: Caller<'_>| {
            let reply = request::start(self.inner(), StartKind::Start, Some(&parent), wanted);
            // After the start is registered, since a parent that is cancelled meanwhile stops it.
            parent_waker::watch(self.inner(), &parent);
            reply
        };
        ask(self.inner(), request, Answer::start).await
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
    /// The errors of [`start`](Self::start), and [`Cancelled`](StartError::Cancelled): the parent of the
    /// last `start_with` is cancelled.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the start goes on to its end when this future is dropped.
    pub async fn ensure_running(&self) -> Result<(), StartError> {
        self.ask_for_start(StartKind::Ensure).await
    }

    /// Stops the service within its own `stop_timeout`. A stop cancels every start and restart that was
    /// asked for before it.
    ///
    /// It returns when `run`, `shutdown` and every task spawned through the context have ended, or when that was given up. Every
    /// concurrent caller gets the same outcome.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, State, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// runner.start().await.unwrap();
    /// runner.stop().await.unwrap();
    /// assert_eq!(runner.state(), State::Stopped);
    /// runner.stop().await.unwrap(); // it has stopped
    /// # }
    /// ```
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
        ask(
            self.inner(),
            |wanted| request::stop(self.inner(), None, wanted),
            Answer::stop,
        )
        .await
    }

    /// Stops the service like [`stop`](Self::stop), within `timeout`. Zero aborts at once: `shutdown` is not called, and an
    /// end by abort is no error. [`Duration::MAX`] waits for ever. It can shorten a stop in progress, never extend it.
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
    /// The errors of [`stop`](Self::stop).
    ///
    /// # Cancel safety
    ///
    /// Once polled, the stop goes on to its end when this future is dropped.
    pub async fn stop_within(&self, timeout: Duration) -> Result<(), StopError> {
        let request = |wanted: Caller<'_>| request::stop(self.inner(), Some(timeout), wanted);
        ask(self.inner(), request, Answer::stop).await
    }

    /// Stops the service if need be, and starts it.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// runner.start().await.unwrap();
    /// runner.restart().await.unwrap();
    /// assert!(runner.is_running());
    /// assert_eq!(runner.status().cycles(), 2);
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`start`](Self::start), and [`Cancelled`](StartError::Cancelled): the parent of the
    /// last `start_with` is cancelled.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the restart goes on to its end when this future is dropped.
    pub async fn restart(&self) -> Result<(), StartError> {
        self.ask_for_start(StartKind::Restart).await
    }

    /// Begins a start and returns at once; the status and the history tell the outcome. On a thread
    /// without a runtime the service goes where it ran before.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, State, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// runner.request_start();
    /// runner.wait_for(State::Running).await;
    /// assert!(runner.is_running());
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn request_start(&self) {
        burst::ask(|| request::start(self.inner(), StartKind::Start, None, Caller::No));
    }

    /// Begins a stop and returns at once.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Exit, Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// runner.start().await.unwrap();
    /// runner.request_stop();
    /// assert_eq!(runner.wait().await, Exit::Stopped);
    /// # }
    /// ```
    pub fn request_stop(&self) {
        burst::ask(|| request::stop(self.inner(), None, Caller::No));
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
        burst::ask(|| request::start(self.inner(), StartKind::Restart, None, Caller::No));
    }

    /// Asks the service to take over its new configuration, and waits for its answer. Nothing restarts.
    ///
    /// While the service starts, the request waits for the end of the start. Several requests before the service looks are one,
    /// with one answer for all. A group passes it on, one member after another in the order of their starts; the first failure
    /// is its answer. There is no timeout.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     while let Some(reload) = cx.run_until_cancelled(cx.reloaded()).await {
    ///         reload.done(); // the new configuration is in force
    ///     }
    /// }));
    /// runner.start().await.unwrap();
    /// assert!(runner.reload().await.is_ok());
    /// runner.stop().await.unwrap();
    /// assert!(runner.reload().await.is_err()); // nothing runs
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Failed`](ReloadError::Failed): the service goes on with the old configuration.
    /// - [`NotSupported`](ReloadError::NotSupported): nothing in the service has ever waited for a request in this attempt.
    /// - [`Stopped`](ReloadError::Stopped): nothing of the service runs, or the attempt ended before the answer.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the reload goes on to its end when this future is dropped.
    pub async fn reload(&self) -> Result<(), ReloadError> {
        ask(
            self.inner(),
            |wanted| request::reload(self.inner(), wanted),
            Answer::reload,
        )
        .await
    }

    /// Asks for a reload and returns at once; the [events](Self::events) tell the outcome, and a
    /// failure is in the history.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (told, hears) = std::sync::mpsc::channel();
    /// let runner = Runner::new(service_fn(move |cx: startstop_core::Context| {
    ///     let told = told.clone();
    ///     async move {
    ///         cx.reloaded().await.done();
    ///         told.send("reloaded").unwrap();
    ///         cx.cancelled().await;
    ///     }
    /// }));
    /// runner.start().await.unwrap();
    /// runner.request_reload();
    /// # tokio::task::yield_now().await;
    /// runner.stop().await.unwrap();
    /// assert_eq!(hears.try_recv(), Ok("reloaded"));
    /// # }
    /// ```
    pub fn request_reload(&self) {
        burst::ask(|| request::reload(self.inner(), Caller::No));
    }

    /// Not an `async fn`: one future in another would cost what it saves.
    fn ask_for_start(
        &self,
        kind: StartKind,
    ) -> impl Future<Output = Result<(), StartError>> + use<'_, S> {
        ask(
            self.inner(),
            move |wanted: Caller<'_>| request::start(self.inner(), kind, None, wanted),
            Answer::start,
        )
    }
}

impl<S: Service> Clone for Runner<S> {
    fn clone(&self) -> Self {
        Self::of_node(one_more(self.inner()))
    }
}

/// The last clone asks for a stop, unless the runner was detached.
impl<S: Service> Drop for Runner<S> {
    fn drop(&mut self) {
        if let Some(node) = self.node.take() {
            one_fewer(node);
        }
    }
}

/// Counts a runner that is cloned.
fn one_more(node: &Arc<dyn Node>) -> Arc<dyn Node> {
    node.shared().handles.fetch_add(1, Ordering::Relaxed);
    Arc::clone(node)
}

/// Counts a runner that is dropped.
fn one_fewer(node: Arc<dyn Node>) {
    let shared = node.shared();
    if shared.handles.fetch_sub(1, Ordering::AcqRel) > 1 {
        return;
    }
    if !shared.marks.has(Mark::Detached) {
        request::abandon(&node);
    }
    request::tell_watchers(&node);
    gate::leave_for_good(node);
}

impl<S: Service> fmt::Debug for Runner<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner")
            .field("name", &self.name())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
