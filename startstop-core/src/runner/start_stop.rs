//! Lifecycle and errors of any runner, behind one trait object.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{Runner, StateWatch};
use crate::report::error::{ReloadError, StartError, StopError};
use crate::report::event::Events;
use crate::report::failure::Failure;
use crate::report::history::History;
use crate::report::state::{Exit, State};
use crate::report::status::Status;
use crate::service::Service;
use crate::sync::CancellationToken;

/// The methods of every [`Runner`], for any type of service, for lists of runners of different types.
///
/// Sealed: it is called and not implemented. Each method does the same as the method of [`Runner`] with its name.
///
/// It is a handle and no service: a list of runners that are to be members of a group as well is one of
/// `Runner<`[`BoxService`](crate::BoxService)`>`.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use startstop_core::{Runner, StartStop, once, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let services: Vec<Arc<dyn StartStop>> = vec![
///     Arc::new(Runner::new(once(async |_cx| println!("migrated")))),
///     Arc::new(Runner::new(service_fn(async |cx| cx.cancelled().await))),
/// ];
/// for service in &services {
///     service.start().await.unwrap();
/// }
/// for service in services.iter().rev() {
///     service.stop().await.unwrap();
/// }
/// assert!(services.iter().all(|service| !service.is_running()));
/// # }
/// ```
#[async_trait]
pub trait StartStop: sealed::SealedStartStop + std::fmt::Debug + Send + Sync {
    /// Starts the service; see [`Runner::start`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, StartStop, service_fn};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let idle = service_fn(async |cx| cx.cancelled().await);
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(idle));
    /// service.start().await.unwrap();
    /// assert!(service.is_running());
    /// # service.stop().await.unwrap();
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`Runner::start`].
    ///
    /// # Cancel safety
    ///
    /// Once polled, the start goes on to its end when this future is dropped.
    async fn start(&self) -> Result<(), StartError>;

    /// Starts it with a parent token; see [`Runner::start_with`].
    ///
    /// # Examples
    ///
    /// ```
    /// use tokio_util::sync::CancellationToken;
    /// use startstop_core::{Exit, Runner, StartStop, service_fn};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let idle = service_fn(async |cx| cx.cancelled().await);
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(idle));
    /// let parent = CancellationToken::new();
    /// service.start_with(&parent).await.unwrap();
    /// parent.cancel();
    /// assert_eq!(service.wait().await, Exit::Stopped);
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`Runner::start_with`].
    ///
    /// # Cancel safety
    ///
    /// Once polled, the start goes on to its end when this future is dropped.
    async fn start_with(&self, parent: &CancellationToken) -> Result<(), StartError>;

    /// Starts it unless it is running; see [`Runner::ensure_running`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, StartStop, service_fn};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let idle = service_fn(async |cx| cx.cancelled().await);
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(idle));
    /// service.start().await.unwrap();
    /// service.ensure_running().await.unwrap();
    /// assert_eq!(service.status().cycles(), 1);
    /// # service.stop().await.unwrap();
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`Runner::ensure_running`].
    ///
    /// # Cancel safety
    ///
    /// Once polled, the start goes on to its end when this future is dropped.
    async fn ensure_running(&self) -> Result<(), StartError>;

    /// Stops it; see [`Runner::stop`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, StartStop, State, service_fn};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let idle = service_fn(async |cx| cx.cancelled().await);
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(idle));
    /// service.start().await.unwrap();
    /// service.stop().await.unwrap();
    /// assert_eq!(service.state(), State::Stopped);
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`Runner::stop`].
    ///
    /// # Cancel safety
    ///
    /// Once polled, the stop goes on to its end when this future is dropped.
    async fn stop(&self) -> Result<(), StopError>;

    /// Stops it within a timeout; see [`Runner::stop_within`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Exit, Runner, StartStop, service_fn};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let deaf = service_fn(async |_cx| std::future::pending::<()>().await);
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(deaf));
    /// service.start().await.unwrap();
    /// service.stop_within(Duration::ZERO).await.unwrap();
    /// assert_eq!(service.wait().await, Exit::Aborted);
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`Runner::stop_within`].
    ///
    /// # Cancel safety
    ///
    /// Once polled, the stop goes on to its end when this future is dropped.
    async fn stop_within(&self, timeout: Duration) -> Result<(), StopError>;

    /// Stops it if need be, and starts it; see [`Runner::restart`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, StartStop, service_fn};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let idle = service_fn(async |cx| cx.cancelled().await);
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(idle));
    /// service.start().await.unwrap();
    /// service.restart().await.unwrap();
    /// assert_eq!(service.status().cycles(), 2);
    /// # service.stop().await.unwrap();
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`Runner::restart`].
    ///
    /// # Cancel safety
    ///
    /// Once polled, the restart goes on to its end when this future is dropped.
    async fn restart(&self) -> Result<(), StartError>;

    /// Asks the service to take over its new configuration, and waits for the answer; see [`Runner::reload`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, StartStop, service_fn};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let app = service_fn(async |cx| {
    ///     while let Some(reload) = cx.run_until_cancelled(cx.reloaded()).await {
    ///         reload.done();
    ///     }
    /// });
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(app));
    /// service.start().await.unwrap();
    /// assert!(service.reload().await.is_ok());
    /// # service.stop().await.unwrap();
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`Runner::reload`].
    ///
    /// # Cancel safety
    ///
    /// Once polled, the reload goes on to its end when this future is dropped.
    async fn reload(&self) -> Result<(), ReloadError>;

    /// Waits for the end of the cycle; see [`Runner::wait`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Exit, Runner, StartStop, once};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let job = once(async |_cx| ());
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(job));
    /// service.request_start();
    /// assert_eq!(service.wait().await, Exit::Completed);
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped.
    async fn wait(&self) -> Exit;

    /// Waits for a state; see [`Runner::wait_for`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, StartStop, State, service_fn};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let idle = service_fn(async |cx| cx.cancelled().await);
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(idle));
    /// service.request_start();
    /// service.wait_for(State::Running).await;
    /// assert!(service.is_running());
    /// # service.stop().await.unwrap();
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped.
    async fn wait_for(&self, state: State);

    /// Begins a start; see [`Runner::request_start`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, StartStop, State, service_fn};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let idle = service_fn(async |cx| cx.cancelled().await);
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(idle));
    /// service.request_start();
    /// assert_ne!(service.state(), State::Stopped);
    /// service.stop().await.unwrap();
    /// # }
    /// ```
    fn request_start(&self);

    /// Begins a stop; see [`Runner::request_stop`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Exit, Runner, StartStop, service_fn};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let idle = service_fn(async |cx| cx.cancelled().await);
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(idle));
    /// service.start().await.unwrap();
    /// service.request_stop();
    /// assert_eq!(service.wait().await, Exit::Stopped);
    /// # }
    /// ```
    fn request_stop(&self);

    /// Begins a restart; see [`Runner::request_restart`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, StartStop, service_fn};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let idle = service_fn(async |cx| cx.cancelled().await);
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(idle));
    /// service.start().await.unwrap();
    /// service.request_restart();
    /// service.ensure_running().await.unwrap(); // waits for the new cycle
    /// assert_eq!(service.status().cycles(), 2);
    /// # service.stop().await.unwrap();
    /// # }
    /// ```
    fn request_restart(&self);

    /// Asks for a reload; see [`Runner::request_reload`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, StartStop, service_fn};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let app = service_fn(async |cx| {
    ///     let _reload = cx.run_until_cancelled(cx.reloaded()).await;
    /// });
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(app));
    /// service.start().await.unwrap();
    /// service.request_reload();
    /// service.wait().await; // it ends once it has heard of it
    /// assert!(!service.is_running());
    /// # }
    /// ```
    fn request_reload(&self);

    /// Returns whether it is running; see [`Runner::is_running`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, StartStop, service_fn};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let idle = service_fn(async |cx| cx.cancelled().await);
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(idle));
    /// assert!(!service.is_running());
    /// service.start().await.unwrap();
    /// assert!(service.is_running());
    /// # service.stop().await.unwrap();
    /// # }
    /// ```
    fn is_running(&self) -> bool;

    /// Returns whether it is ready; see [`Runner::is_ready`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, StartStop, service_fn};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let idle = service_fn(async |cx| cx.cancelled().await);
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(idle));
    /// service.start().await.unwrap();
    /// assert!(service.is_ready());
    /// service.stop().await.unwrap();
    /// assert!(!service.is_ready());
    /// # }
    /// ```
    fn is_ready(&self) -> bool;

    /// Returns how long it has been running; see [`Runner::uptime`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, StartStop, service_fn};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let idle = service_fn(async |cx| cx.cancelled().await);
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(idle));
    /// service.start().await.unwrap();
    /// service.stop().await.unwrap();
    /// assert!(service.uptime().is_zero());
    /// # }
    /// ```
    fn uptime(&self) -> Duration;

    /// Returns its state; see [`Runner::state`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, StartStop, State, service_fn};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let idle = service_fn(async |cx| cx.cancelled().await);
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(idle));
    /// assert_eq!(service.state(), State::Stopped);
    /// service.start().await.unwrap();
    /// assert_eq!(service.state(), State::Running);
    /// # service.stop().await.unwrap();
    /// # }
    /// ```
    fn state(&self) -> State;

    /// Returns its name; see [`Runner::name`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, Settings, StartStop, service_fn};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let idle = service_fn(async |cx| cx.cancelled().await);
    /// let runner = Runner::with_settings(idle, Settings::new().name("mail"));
    /// let service: Arc<dyn StartStop> = Arc::new(runner);
    /// assert_eq!(service.name(), "mail");
    /// # }
    /// ```
    fn name(&self) -> &str;

    /// Returns the longest that a stop can take; see [`Runner::grace_period`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Runner, StartStop, service_fn};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let idle = service_fn(async |cx| cx.cancelled().await);
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(idle));
    /// assert_eq!(service.grace_period(), Duration::from_secs(5 + 2)); // stop, and abort
    /// # }
    /// ```
    fn grace_period(&self) -> Duration;

    /// Returns its last failure; see [`Runner::errors_last`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, StartStop, once};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let broken = once(async |_cx| Err::<(), _>("no such file"));
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(broken));
    /// assert!(service.start().await.is_err());
    /// assert_eq!(service.errors_last().unwrap().error().to_string(), "no such file");
    /// # }
    /// ```
    fn errors_last(&self) -> Option<Failure>;

    /// Returns the failures of the cycle; see [`Runner::errors_list`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, StartStop, once};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let broken = once(async |_cx| Err::<(), _>("no such file"));
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(broken));
    /// assert!(service.start().await.is_err());
    /// assert_eq!(service.errors_list().len(), 1);
    /// # }
    /// ```
    fn errors_list(&self) -> Vec<Failure>;

    /// Returns the failures of all cycles; see [`Runner::history`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, StartStop, once};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let broken = once(async |_cx| Err::<(), _>("no such file"));
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(broken));
    /// assert!(service.start().await.is_err());
    /// assert!(service.start().await.is_err());
    /// assert_eq!(service.history().entries().len(), 2); // one of each cycle
    /// # }
    /// ```
    fn history(&self) -> History;

    /// Returns a snapshot; see [`Runner::status`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, StartStop, State, service_fn};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let idle = service_fn(async |cx| cx.cancelled().await);
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(idle));
    /// service.start().await.unwrap();
    /// assert_eq!(service.status().state(), State::Running);
    /// # service.stop().await.unwrap();
    /// # }
    /// ```
    fn status(&self) -> Status;

    /// Returns a part of it, by its path; see [`Runner::find`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Group, Runner, StartStop, service_fn};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let idle = service_fn(async |cx| cx.cancelled().await);
    /// let group = Group::builder("app").with("db", idle).build().unwrap();
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(group));
    /// service.start().await.unwrap();
    /// assert_eq!(service.find("app/db").unwrap().name(), "db");
    /// # service.stop().await.unwrap();
    /// # }
    /// ```
    fn find(&self, path: &str) -> Option<Arc<dyn StartStop>>;

    /// Returns a watch on the state; see [`Runner::subscribe`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, StartStop, State, service_fn};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let idle = service_fn(async |cx| cx.cancelled().await);
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(idle));
    /// let watch = service.subscribe();
    /// service.start().await.unwrap();
    /// assert_eq!(watch.get(), State::Running);
    /// # service.stop().await.unwrap();
    /// # }
    /// ```
    fn subscribe(&self) -> StateWatch;

    /// A stream of what happens; see [`Runner::events`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{EventKind, Runner, StartStop, service_fn};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let idle = service_fn(async |cx| cx.cancelled().await);
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(idle));
    /// let mut events = service.events();
    /// service.start().await.unwrap();
    /// assert!(matches!(events.next().await.unwrap().kind(), EventKind::Starting));
    /// # service.stop().await.unwrap();
    /// # }
    /// ```
    fn events(&self) -> Events;

    /// Returns a stream that holds so many events; see [`Runner::events_with_capacity`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{EventKind, Runner, StartStop, service_fn};
    /// use std::sync::Arc;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let idle = service_fn(async |cx| cx.cancelled().await);
    /// let service: Arc<dyn StartStop> = Arc::new(Runner::new(idle));
    /// let mut events = service.events_with_capacity(1);
    /// service.start().await.unwrap(); // two events
    /// assert!(matches!(events.try_next().unwrap().kind(), EventKind::Missed(1)));
    /// # service.stop().await.unwrap();
    /// # }
    /// ```
    fn events_with_capacity(&self, capacity: usize) -> Events;
}

#[async_trait]
impl<S: Service> StartStop for Runner<S> {
    async fn start(&self) -> Result<(), StartError> {
        Runner::start(self).await
    }

    async fn start_with(&self, parent: &CancellationToken) -> Result<(), StartError> {
        Runner::start_with(self, parent).await
    }

    async fn ensure_running(&self) -> Result<(), StartError> {
        Runner::ensure_running(self).await
    }

    async fn stop(&self) -> Result<(), StopError> {
        Runner::stop(self).await
    }

    async fn stop_within(&self, timeout: Duration) -> Result<(), StopError> {
        Runner::stop_within(self, timeout).await
    }

    async fn restart(&self) -> Result<(), StartError> {
        Runner::restart(self).await
    }

    async fn reload(&self) -> Result<(), ReloadError> {
        Runner::reload(self).await
    }

    // Written out, since its effect begins with the call and not with the first poll.
    fn wait<'a, 'async_trait>(&'a self) -> Pin<Box<dyn Future<Output = Exit> + Send + 'async_trait>>
    where
        'a: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(Runner::wait(self))
    }

    // Written out, since its effect begins with the call and not with the first poll.
    fn wait_for<'a, 'async_trait>(
        &'a self,
        state: State,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'async_trait>>
    where
        'a: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(Runner::wait_for(self, state))
    }

    fn request_start(&self) {
        Runner::request_start(self);
    }

    fn request_stop(&self) {
        Runner::request_stop(self);
    }

    fn request_restart(&self) {
        Runner::request_restart(self);
    }

    fn request_reload(&self) {
        Runner::request_reload(self);
    }

    fn is_running(&self) -> bool {
        Runner::is_running(self)
    }

    fn is_ready(&self) -> bool {
        Runner::is_ready(self)
    }

    fn uptime(&self) -> Duration {
        Runner::uptime(self)
    }

    fn state(&self) -> State {
        Runner::state(self)
    }

    fn name(&self) -> &str {
        Runner::name(self)
    }

    fn grace_period(&self) -> Duration {
        Runner::grace_period(self)
    }

    fn errors_last(&self) -> Option<Failure> {
        Runner::errors_last(self)
    }

    fn errors_list(&self) -> Vec<Failure> {
        Runner::errors_list(self)
    }

    fn history(&self) -> History {
        Runner::history(self)
    }

    fn status(&self) -> Status {
        Runner::status(self)
    }

    fn find(&self, path: &str) -> Option<Arc<dyn StartStop>> {
        Runner::find(self, path)
    }

    fn subscribe(&self) -> StateWatch {
        Runner::subscribe(self)
    }

    fn events(&self) -> Events {
        Runner::events(self)
    }

    fn events_with_capacity(&self, capacity: usize) -> Events {
        Runner::events_with_capacity(self, capacity)
    }
}

mod sealed {
    pub trait SealedStartStop {}
    impl<S: crate::service::Service> SealedStartStop for super::Runner<S> {}
}
