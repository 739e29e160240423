//! The trait `Service`, and services whose type is erased.

mod boxed;
pub(crate) mod context;
pub(crate) mod name;
pub(crate) mod size;
pub(crate) mod slot;
pub(crate) mod func;

use std::any::{Any, TypeId};
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context as Task, Poll};
use std::time::Duration;

pub use self::boxed::BoxService;
use crate::engine::{Identity, Node};
use crate::report::shared_name::SharedName;
use crate::service::context::Context;

use crate::report::panic::BoxError;
use crate::report::status::Status;
use crate::rules::span::Span;
use crate::settings::Settings;

/// A long-running part of a program: `run` does the work until it is told to stop, `shutdown` makes
/// it stop gracefully.
///
/// A [`Runner`](crate::Runner) drives it. Implement the trait on a type of your own when the service
/// has state, settings or an error type; use [`service_fn`](crate::service_fn) for a closure.
///
/// There is no `dyn Service`. Where services of different types meet, [`boxed`](Self::boxed) makes each a [`BoxService`], and
/// `Arc<dyn` [`StartStop`](crate::StartStop)`>` holds a runner of any.
///
/// # Building one
///
/// An implementation is two plain `async fn`s at most, without any attribute. `run` takes `&self`,
/// since a service can be run again and again, and since `shutdown` is called while `run` is
/// executing. Any error that converts into a [`BoxError`] will do.
///
/// ```
/// use startstop_core::{Context, Exit, Runner, Service};
/// use tokio::net::{TcpListener, TcpStream};
/// use std::io;
///
/// struct Echo {
///     addr: &'static str,
/// }
///
/// impl Service for Echo {
///     type Error = io::Error;
///
///     async fn run(&self, cx: Context) -> Result<(), io::Error> {
///         let listener = TcpListener::bind(self.addr).await?;
///         // `None` when the stop comes: the listener is dropped, the port is free.
///         while let Some(client) = cx.run_until_cancelled(listener.accept()).await {
///             let (client, _) = client?;
///             cx.spawn(echo(client, cx.clone())); // ends before the service counts as stopped
///         }
///         Ok(())
///     }
/// }
///
/// async fn echo(mut client: TcpStream, cx: Context) -> io::Result<()> {
///     let (mut read, mut write) = client.split();
///     match cx.run_until_cancelled(tokio::io::copy(&mut read, &mut write)).await {
///         Some(result) => result.map(drop),
///         None => Ok(()),
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runner = Runner::new(Echo { addr: "127.0.0.1:0" });
/// runner.start().await.unwrap();
/// runner.stop().await.unwrap();
/// assert_eq!(runner.wait().await, Exit::Stopped);
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a service",
    label = "this is no `Service`",
    note = "implement `Service`, derive it with `#[derive(Service)]`, or wrap a closure: `service_fn(|cx| async move {{ .. }})`"
)]
pub trait Service: Send + Sync + 'static {
    /// The error of the service.
    type Error: Into<BoxError> + Send;

    /// Does the work, until it is done or [`cx.cancelled()`](Context::cancelled) resolves.
    ///
    /// # Errors
    ///
    /// An error ends the cycle, or begins the next attempt of a restart policy. It is recorded as a
    /// [`Failure`](crate::Failure).
    ///
    /// # Cancel safety
    ///
    /// It is dropped at its next await point when it does not end in time.
    fn run(&self, cx: Context) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Makes `run` end gracefully. It is called once in each stop of a service that runs, when the context is
    /// cancelled, and `run` goes on meanwhile. It is not called in a stop with a timeout of zero, nor in one
    /// whose [`drain`](Settings::drain) takes all of its time, nor after `run` has ended by itself, unless
    /// with the setting [`shutdown_always`](Settings::shutdown_always).
    ///
    /// It runs in a task of its own. On a single-threaded runtime one that is ready at its first poll
    /// costs no task. The default does nothing and costs nothing.
    ///
    /// # Errors
    ///
    /// An error is recorded and makes `stop()` return it; the service is stopped nevertheless.
    ///
    /// # Cancel safety
    ///
    /// It is dropped at its next await point at the deadline of the stop.
    fn shutdown(&self, cx: Context) -> impl Future<Output = Result<(), Self::Error>> + Send {
        let _ = cx;
        NoShutdown::<Self, Self::Error>::new()
    }

    /// Returns how the service wants to be run. Asked once, when its runner is built.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Context, Runner, Service, Settings};
    /// use std::convert::Infallible;
    ///
    /// struct Idle;
    ///
    /// impl Service for Idle {
    ///     type Error = Infallible;
    ///
    ///     async fn run(&self, cx: Context) -> Result<(), Infallible> {
    ///         cx.cancelled().await;
    ///         Ok(())
    ///     }
    ///
    ///     fn settings(&self) -> Settings {
    ///         Settings::new().name("idle")
    ///     }
    /// }
    ///
    /// assert_eq!(Runner::new(Idle).name(), "idle");
    /// ```
    fn settings(&self) -> Settings {
        Settings::new()
    }

    /// Returns the statuses of the parts of a composite, for the status tree. The default is none.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{BoxError, Context, Runner, Service, Status, service_fn};
    ///
    /// struct Outer<S: Service>(Runner<S>);
    ///
    /// impl<S: Service> Service for Outer<S> {
    ///     type Error = BoxError;
    ///
    ///     async fn run(&self, cx: Context) -> Result<(), BoxError> {
    ///         self.0.start().await?;
    ///         cx.cancelled().await;
    ///         Ok(self.0.stop().await?)
    ///     }
    ///
    ///     fn children(&self) -> Vec<Status> {
    ///         vec![self.0.status()]
    ///     }
    /// }
    ///
    /// let inner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// let outer = Runner::new(Outer(inner));
    /// assert_eq!(outer.status().children().len(), 1);
    /// ```
    fn children(&self) -> Vec<Status> {
        vec![]
    }

    /// Returns how long the parts of a composite may take to stop, for [`grace_period`](crate::Runner::grace_period).
    /// The default is `None`, for a service that is no composite: its own timeouts say how long.
    ///
    /// Implement it together with a [`stop_timeout`](Settings::stop_timeout) of [`Duration::MAX`], which leaves the time to
    /// the parts. With a shorter one that is what the service may take, and this is not asked. A panic counts as `None`.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{BoxError, Context, Runner, Service, Settings, service_fn};
    /// use std::time::Duration;
    ///
    /// struct Both<A: Service, B: Service>(Runner<A>, Runner<B>);
    ///
    /// impl<A: Service, B: Service> Service for Both<A, B> {
    ///     type Error = BoxError;
    ///
    ///     async fn run(&self, cx: Context) -> Result<(), BoxError> {
    ///         self.0.start().await?;
    ///         self.1.start().await?;
    ///         cx.cancelled().await;
    ///         self.1.stop().await?; // one after the other
    ///         self.0.stop().await?;
    ///         Ok(())
    ///     }
    ///
    ///     fn settings(&self) -> Settings {
    ///         Settings::new().stop_timeout(Duration::MAX)
    ///     }
    ///
    ///     fn grace(&self) -> Option<Duration> {
    ///         Some(self.0.grace_period().saturating_add(self.1.grace_period()))
    ///     }
    /// }
    ///
    /// let idle = || Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// let both = Runner::new(Both(idle(), idle()));
    /// assert_eq!(both.grace_period(), Duration::from_secs(2 * (5 + 2)));
    /// ```
    fn grace(&self) -> Option<Duration> {
        None
    }

    /// The same where the parts are known to take so long.
    #[doc(hidden)]
    fn __grace(&self, parts: Spans<'_>) -> Option<Duration> {
        let _ = parts;
        self.grace()
    }

    /// Returns what `run` yields, in a box in which it is made. A wrapper boxes the future that it wraps, and not itself: each
    /// is on the stack before it is in its box.
    #[doc(hidden)]
    fn __boxed_run(&self, cx: Context) -> impl Future<Output = Result<(), Self::Error>> + Send {
        Box::pin(self.run(cx))
    }

    /// The same for `shutdown`.
    #[doc(hidden)]
    fn __boxed_shutdown(
        &self,
        cx: Context,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send {
        Box::pin(self.shutdown(cx))
    }

    /// Returns whether `shutdown` does anything.
    #[doc(hidden)]
    fn __has_shutdown(&self) -> bool
    where
        Self: Sized,
    {
        has_shutdown::<Self>()
    }

    /// A runner as a member of a group is shared and not nested.
    #[doc(hidden)]
    fn __share(self) -> Result<SharedRunner, Self>
    where
        Self: Sized,
    {
        Err(self)
    }

    /// Returns what tells a composite from others, where clones of it are the same.
    #[doc(hidden)]
    fn __identity(&self) -> Option<Identity> {
        None
    }

    /// Returns whether it is made of members that it supervises.
    #[doc(hidden)]
    fn __is_owner(&self) -> bool {
        false
    }

    /// Returns what a composite is made of, where it is made of runners.
    #[doc(hidden)]
    fn __parts(&self) -> Parts {
        Parts::default()
    }

    /// Visits them, under a lock of the composite maybe: the visitor takes none.
    #[doc(hidden)]
    fn __each_part(&self, visit: EachPart<'_>) {
        for (_, part) in &self.__parts().0 {
            visit.0(part);
        }
    }

    /// The runner that a composite is given to, unless it has one already.
    #[doc(hidden)]
    fn __bind(&self, owner: Owner) {
        let _ = owner;
    }

    /// Erases the type, for lists of services of different types.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{BoxService, Runner, Service, once, service_fn};
    ///
    /// let services: Vec<BoxService> = vec![
    ///     service_fn(async |cx| cx.cancelled().await).boxed(),
    ///     once(async |_cx| println!("hello")).boxed(),
    /// ];
    /// let runners: Vec<Runner<BoxService>> = services.into_iter().map(Runner::new).collect();
    /// assert_eq!(runners.len(), 2);
    /// ```
    fn boxed(self) -> BoxService
    where
        Self: Sized,
    {
        BoxService::new(self)
    }
}

/// The runner of a composite.
#[doc(hidden)]
#[allow(missing_debug_implementations)] // Not for users.
pub struct Owner(pub(crate) Weak<dyn Node>);

/// A runner that is shared.
#[doc(hidden)]
#[allow(missing_debug_implementations)] // Not for users.
pub struct SharedRunner(
    /// A runner that does not name the type of its service, of which this module knows nothing.
    pub(crate) Box<dyn Any + Send + Sync>,
);

/// The parts of a composite under their names. A tree of them is walked without recursion, however deep
/// it is.
#[doc(hidden)]
#[allow(missing_debug_implementations)] // Not for users.
#[derive(Default)]
pub struct Parts(pub(crate) Vec<(SharedName, Arc<dyn Node>)>);

/// A visitor of the parts of a composite.
#[doc(hidden)]
#[allow(missing_debug_implementations)] // Not for users.
pub struct EachPart<'a>(pub(crate) &'a mut dyn FnMut(&Arc<dyn Node>));

/// How long the stop of each part of a composite can take.
#[doc(hidden)]
#[derive(Clone, Copy)]
#[allow(missing_debug_implementations)] // Not for users.
pub struct Spans<'a>(pub(crate) &'a [(SharedName, Span)]);

/// The default of [`Service::shutdown`] of a service `S`: nothing, at once. It is known by its type, so that
/// nothing is paid for it; and it names the service, for a wrapper may yield that of the service inside.
pub(crate) struct NoShutdown<S: ?Sized, E>(PhantomData<fn(&S) -> E>);

impl<S: ?Sized, E> NoShutdown<S, E> {
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<S: ?Sized, E> Future for NoShutdown<S, E> {
    type Output = Result<(), E>;

    fn poll(self: Pin<&mut Self>, _: &mut Task<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(()))
    }
}

/// Returns whether the type has a `shutdown` of its own.
fn has_shutdown<S: Service>() -> bool {
    fn of<S, F: 'static>(_: fn(&'static S, Context) -> F) -> TypeId {
        TypeId::of::<F>()
    }
    of(S::shutdown) != TypeId::of::<NoShutdown<S, S::Error>>()
}

/// Returns the settings of a service that is wrapped: its name must not become that of the wrapper.
pub(crate) fn named<S: Service>(service: &S) -> Settings {
    service
        .settings()
        .or(Settings::new().name(name::of_type::<S>()))
}

/// A shared service: other code keeps an `Arc` of it to call its methods.
impl<S: Service> Service for Arc<S> {
    type Error = S::Error;

    fn run(&self, cx: Context) -> impl Future<Output = Result<(), S::Error>> + Send {
        S::run(self, cx)
    }

    fn shutdown(&self, cx: Context) -> impl Future<Output = Result<(), S::Error>> + Send {
        S::shutdown(self, cx)
    }

    fn __boxed_run(&self, cx: Context) -> impl Future<Output = Result<(), S::Error>> + Send {
        S::__boxed_run(self, cx)
    }

    fn __boxed_shutdown(&self, cx: Context) -> impl Future<Output = Result<(), S::Error>> + Send {
        S::__boxed_shutdown(self, cx)
    }

    fn __has_shutdown(&self) -> bool {
        S::__has_shutdown(self)
    }

    fn settings(&self) -> Settings {
        named(&**self)
    }

    fn children(&self) -> Vec<Status> {
        S::children(self)
    }

    fn grace(&self) -> Option<Duration> {
        S::grace(self)
    }

    fn __grace(&self, parts: Spans<'_>) -> Option<Duration> {
        S::__grace(self, parts)
    }

    fn __is_owner(&self) -> bool {
        S::__is_owner(self)
    }

    fn __parts(&self) -> Parts {
        S::__parts(self)
    }

    fn __each_part(&self, visit: EachPart<'_>) {
        S::__each_part(self, visit);
    }

    fn __identity(&self) -> Option<Identity> {
        S::__identity(self)
    }

    fn __bind(&self, owner: Owner) {
        S::__bind(self, owner);
    }
}
