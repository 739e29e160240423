//! Methods that read a runner: at once, awaited, or as a stream.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::{AnyRunner, Runner, StartStop, StateWatch, find, weak};
use crate::engine::request::pending::wait_reply;
use crate::engine::waiters::Answer;
use crate::engine::{grace, request};
use crate::report::event::Events;
use crate::report::failure::Failure;
use crate::report::history::History;
use crate::report::state::{Exit, State};
use crate::report::status::Status;
use crate::runner::listen::listen;
use crate::runner::snapshot;
use crate::service::Service;

/// How many events a stream keeps for its reader, unless it is told otherwise.
const CAPACITY: usize = 1024;

impl<S: Service> Runner<S> {
    /// Returns whether the state is [`Running`](State::Running): one atomic load.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// assert!(!runner.is_running());
    /// runner.start().await.unwrap();
    /// assert!(runner.is_running());
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn is_running(&self) -> bool {
        self.inner().shared().atomic_state.read().is_running()
    }

    /// Returns whether the service can do its job, or has done it: it is running and not draining, or it is a
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
        self.inner().shared().atomic_state.read().is_ready()
    }

    /// Returns how long the service has been running: zero in every state but [`Running`](State::Running).
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
        self.inner().shared().atomic_state.read().uptime()
    }

    /// Returns the state of the service: one atomic load.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, State, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// assert_eq!(runner.state(), State::Stopped);
    /// runner.start().await.unwrap();
    /// assert_eq!(runner.state(), State::Running);
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn state(&self) -> State {
        self.inner().shared().atomic_state.read().state()
    }

    /// Returns the name of the service: from the settings, or the name of its type.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, Settings, once};
    ///
    /// let job = Runner::with_settings(once(async |_cx| ()), Settings::new().name("import"));
    /// assert_eq!(job.name(), "import");
    /// ```
    pub fn name(&self) -> &str {
        self.inner().shared().name()
    }

    /// Returns the longest time that a stop can take, or [`Duration::MAX`] if it may take for ever.
    /// Systemd's `TimeoutStopSec` or the `terminationGracePeriodSeconds` of Kubernetes must exceed
    /// it, by a second for each `on_exit`.
    ///
    /// For a service this is its [`drain`](crate::Settings::drain), its [`stop_timeout`](crate::Settings::stop_timeout) and
    /// its [`abort_timeout`](crate::Settings::abort_timeout). For a group without a `stop_timeout` it is the drain and the
    /// sum of both timeouts along the longest path of members that depend on each other; with one it is the drain, that, and
    /// the longest `abort_timeout`. It is computed from the present members of the group.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Group, Runner, Settings, service_fn};
    ///
    /// let idle = || service_fn(async |cx| cx.cancelled().await);
    /// let app = Group::builder("app")
    ///     .settings(Settings::new().drain(Duration::from_secs(3)))
    ///     .with("db", idle())
    ///     .with("cache", idle()) // beside db
    ///     .then("http", idle())
    ///     .build()
    ///     .unwrap();
    /// // Draining, then http, then db and cache side by side: 5 s to stop and 2 s to be aborted each.
    /// assert_eq!(Runner::new(app).grace_period(), Duration::from_secs(3 + 7 + 7));
    /// ```
    pub fn grace_period(&self) -> Duration {
        grace::span(&**self.inner()).total()
    }

    /// Returns the last failure of the current or most recent cycle.
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
        snapshot::errors_last(self.inner().shared())
    }

    /// Returns the failures of the current or most recent cycle, oldest first, as far as the history holds them. A start
    /// clears the list, restarts of a policy do not.
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
        snapshot::errors_list(self.inner().shared())
    }

    /// Returns the failures of all cycles: a snapshot that costs the same at any size.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |_cx| Err::<(), _>("disk full")));
    /// runner.start().await.unwrap_err();
    /// assert_eq!(runner.history().entries().len(), 1);
    /// # }
    /// ```
    pub fn history(&self) -> History {
        self.inner().shared().synced().history()
    }

    /// Returns a snapshot of the service and of its parts.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Exit, Runner, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |_cx| ()));
    /// runner.start().await.unwrap();
    /// # runner.stop().await.unwrap();
    /// let status = runner.status();
    /// assert_eq!((status.cycles(), status.last_exit()), (1, Exit::Completed));
    /// # }
    /// ```
    pub fn status(&self) -> Status {
        snapshot::status(&**self.inner())
    }

    /// Waits until the cycle that is current now, at this call, has ended: how it did. For a runner that
    /// is stopped it is the end of the last cycle. A service that does not yield keeps this pending until
    /// it does.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Exit, Runner, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |cx| {
    ///     cx.request_stop();
    ///     cx.cancelled().await
    /// }));
    /// runner.request_start();
    /// assert_eq!(runner.wait().await, Exit::Stopped);
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped; a new call waits for the cycle that is current then.
    pub fn wait(&self) -> impl Future<Output = Exit> + Send + use<'_, S> {
        wait_reply(
            self.inner(),
            request::wait(self.inner().shared()),
            Answer::end,
        )
    }

    /// Waits until the service is in a state, or has been in it since this call.
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
    /// assert_eq!(runner.state(), State::Running);
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped; a new call sees the states from then on.
    pub fn wait_for(&self, state: State) -> impl Future<Output = ()> + Send + use<'_, S> {
        wait_reply(
            self.inner(),
            request::wait_for(self.inner().shared(), state),
            Answer::seen,
        )
    }

    /// Returns a watch on the state.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, State, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// let watch = runner.subscribe();
    /// runner.start().await.unwrap();
    /// assert_eq!(watch.get(), State::Running);
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn subscribe(&self) -> StateWatch {
        StateWatch::new(&self.node())
    }

    /// Returns a stream of what happens from now on to the service and, for a composite, to every member down to the
    /// leaves. It holds the last 1,024 events.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{EventKind, Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// let mut events = runner.events();
    /// runner.start().await.unwrap();
    /// let event = events.next().await.unwrap();
    /// assert!(matches!(event.kind(), EventKind::Starting));
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn events(&self) -> Events {
        self.events_with_capacity(CAPACITY)
    }

    /// Returns a stream like [`events`](Self::events) that holds the last `capacity` events; at least one.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{EventKind, Runner, once};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |_cx| ()));
    /// let mut events = runner.events_with_capacity(1);
    /// runner.start().await.unwrap();
    /// assert!(matches!(events.try_next().unwrap().kind(), EventKind::Missed(2)));
    /// assert!(matches!(events.try_next().unwrap().kind(), EventKind::Stopped { .. }));
    /// # }
    /// ```
    pub fn events_with_capacity(&self, capacity: usize) -> Events {
        listen(&self.node(), capacity)
    }

    /// Returns the service itself or a part below it, by its path as in
    /// [`Status::path`](crate::Status::path), or `None` if there is no service of that path.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Group, Runner, State, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let db = service_fn(async |cx| cx.cancelled().await);
    /// let app = Runner::new(Group::builder("app").with("db", db).build().unwrap());
    /// app.start().await.unwrap();
    ///
    /// let db = app.find("app/db").unwrap();
    /// db.stop().await.unwrap();
    /// assert_eq!(app.status().children()[0].state(), State::Stopped);
    /// assert!(app.find("app/cache").is_none());
    /// # app.stop().await.unwrap();
    /// # }
    /// ```
    pub fn find(&self, path: &str) -> Option<Arc<dyn StartStop>> {
        let node = find::find(self.node(), path)?;
        let runner = AnyRunner::of_node(weak::upgrade(&Arc::downgrade(&node))?);
        Some(Arc::new(runner))
    }
}
