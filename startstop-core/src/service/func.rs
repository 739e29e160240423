//! Services from functions.

mod blocking;
mod every;
mod once;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use pin_project_lite::pin_project;

use crate::report::outcome::Outcome;
use crate::report::panic::BoxError;
use crate::service::Service;
use crate::service::context::Context;
use crate::service::name;
use crate::settings::Settings;

pub use blocking::{BlockingFn, BlockingPair, blocking_fn};
pub use every::{Every, every};
pub use once::{Once, once};

/// Makes a service of a function: its `run`.
///
/// The function may yield `()` or a `Result<(), E>`. It is called once in each attempt. The service is named after the
/// function, or after the function around a closure. For a job use [`once()`], for something periodic [`every()`], for
/// synchronous code [`blocking_fn`].
///
/// A closure gives nothing of its own away, for it may be called again: the compiler refuses an `async move` closure that has
/// captured something. Let [`service_fn_with`] hand that to it, or clone it in each call, as below.
///
/// A closure may be called again, so it gives nothing of its own away: the compiler refuses an `async move` closure that has
/// captured something. Take [`service_fn_with`] for that, or clone it in each call, as below.
///
/// # Examples
///
/// A pair of start and stop functions:
///
/// ```
/// use startstop_core::{Runner, service_fn};
/// use std::sync::Arc;
/// use tokio::sync::Notify;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let leave = Arc::new(Notify::new());
/// let left = leave.clone();
/// let server = service_fn(move |_cx| {
///     let leave = leave.clone();
///     async move { leave.notified().await }
/// })
/// .on_shutdown(move |_cx| {
///     left.notify_one();
///     async {}
/// });
///
/// let runner = Runner::new(server);
/// runner.start().await.unwrap();
/// runner.stop().await.unwrap();
/// assert_eq!(runner.name(), "main");
/// # }
/// ```
pub fn service_fn<R, F>(run: R) -> ServiceFn<R>
where
    R: Fn(Context) -> F + Send + Sync + 'static,
    F: Future<Output: Outcome> + Send,
{
    ServiceFn { run }
}

/// Makes a service of a value and a function: the function gets an [`Arc`] of the value beside the context, in each attempt.
/// Clones of the service share the value.
///
/// # Examples
///
/// ```
/// use startstop_core::{Runner, service_fn_with};
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let counter = service_fn_with(AtomicU32::new(0), async |starts, cx| {
///     starts.fetch_add(1, Ordering::Relaxed);
///     cx.cancelled().await;
/// });
/// let runner = Runner::new(counter);
/// runner.start().await.unwrap();
/// runner.restart().await.unwrap();
/// assert_eq!(runner.service().state().load(Ordering::Relaxed), 2);
/// # runner.stop().await.unwrap();
/// # }
/// ```
pub fn service_fn_with<T, R, F>(state: T, run: R) -> ServiceFnWith<T, R>
where
    T: Send + Sync + 'static,
    R: Fn(Arc<T>, Context) -> F + Send + Sync + 'static,
    F: Future<Output: Outcome> + Send,
{
    ServiceFnWith {
        state: Arc::new(state),
        run,
    }
}

/// A service made of a function by [`service_fn`].
#[derive(Clone)]
pub struct ServiceFn<R> {
    run: R,
}

/// A service made of two functions by [`ServiceFn::on_shutdown`].
#[derive(Clone)]
pub struct ServicePair<R, H> {
    run: R,
    shutdown: H,
}

/// A service made of a value and a function by [`service_fn_with`].
pub struct ServiceFnWith<T, R> {
    state: Arc<T>,
    run: R,
}

/// A service made of a value and two functions by [`ServiceFnWith::on_shutdown`].
pub struct ServicePairWith<T, R, H> {
    state: Arc<T>,
    run: R,
    shutdown: H,
}

impl<R> ServiceFn<R> {
    /// Adds the function that makes it stop: its `shutdown`.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Phase, Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let service = service_fn(async |cx| cx.cancelled().await)
    ///     .on_shutdown(async |_cx| Err::<(), _>("the last page was not written"));
    /// let runner = Runner::new(service);
    /// runner.start().await.unwrap();
    /// runner.stop().await.unwrap_err();
    /// assert_eq!(runner.errors_last().unwrap().phase(), Phase::Shutdown);
    /// # }
    /// ```
    pub fn on_shutdown<H, F>(self, shutdown: H) -> ServicePair<R, H>
    where
        H: Fn(Context) -> F + Send + Sync + 'static,
        F: Future<Output: Outcome> + Send,
    {
        ServicePair {
            run: self.run,
            shutdown,
        }
    }
}

impl<T, R> ServiceFnWith<T, R> {
    /// Adds the function that makes it stop: its `shutdown`.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn_with};
    /// use tokio::sync::Notify;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let server = service_fn_with(Notify::new(), async |leave, _cx| leave.notified().await)
    ///     .on_shutdown(async |leave, _cx| leave.notify_one());
    /// let runner = Runner::new(server);
    /// runner.start().await.unwrap();
    /// runner.stop().await.unwrap();
    /// assert!(runner.errors_list().is_empty());
    /// # }
    /// ```
    pub fn on_shutdown<H, F>(self, shutdown: H) -> ServicePairWith<T, R, H>
    where
        H: Fn(Arc<T>, Context) -> F + Send + Sync + 'static,
        F: Future<Output: Outcome> + Send,
    {
        ServicePairWith {
            state: self.state,
            run: self.run,
            shutdown,
        }
    }

    /// Returns the value.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::service_fn_with;
    /// let service = service_fn_with(7, async |_seven, cx| cx.cancelled().await);
    /// assert_eq!(**service.state(), 7);
    /// ```
    pub fn state(&self) -> &Arc<T> {
        &self.state
    }
}

impl<T, R, H> ServicePairWith<T, R, H> {
    /// Returns the value.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::service_fn_with;
    /// let service = service_fn_with(7, async |_seven, cx| cx.cancelled().await).on_shutdown(async |_seven, _cx| ());
    /// assert_eq!(**service.state(), 7);
    /// ```
    pub fn state(&self) -> &Arc<T> {
        &self.state
    }
}

pin_project! {
    /// The end of the future of a function. Not an `async` block, which would drop the future before it yields that, so that a
    /// panic of the drop would take its place.
    struct FunctionEnd<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future<Output: Outcome>> Future for FunctionEnd<F> {
    type Output = Result<(), BoxError>;

    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        self.project().future.poll(task).map(Outcome::into_result)
    }
}

/// Returns the settings of a service that is made of a function: its name.
fn named_after<F>() -> Settings {
    Settings::new().name(name::of_function::<F>())
}

impl<R, F> Service for ServiceFn<R>
where
    R: Fn(Context) -> F + Send + Sync + 'static,
    F: Future<Output: Outcome> + Send,
{
    type Error = BoxError;

    fn run(&self, cx: Context) -> impl Future<Output = Result<(), BoxError>> + Send {
        FunctionEnd {
            future: (self.run)(cx),
        }
    }

    fn __boxed_run(&self, cx: Context) -> impl Future<Output = Result<(), BoxError>> + Send {
        FunctionEnd {
            future: Box::pin((self.run)(cx)),
        }
    }

    fn settings(&self) -> Settings {
        named_after::<R>()
    }
}

impl<R, H, F, G> Service for ServicePair<R, H>
where
    R: Fn(Context) -> F + Send + Sync + 'static,
    F: Future<Output: Outcome> + Send,
    H: Fn(Context) -> G + Send + Sync + 'static,
    G: Future<Output: Outcome> + Send,
{
    type Error = BoxError;

    fn run(&self, cx: Context) -> impl Future<Output = Result<(), BoxError>> + Send {
        FunctionEnd {
            future: (self.run)(cx),
        }
    }

    fn __boxed_run(&self, cx: Context) -> impl Future<Output = Result<(), BoxError>> + Send {
        FunctionEnd {
            future: Box::pin((self.run)(cx)),
        }
    }

    fn shutdown(&self, cx: Context) -> impl Future<Output = Result<(), BoxError>> + Send {
        FunctionEnd {
            future: (self.shutdown)(cx),
        }
    }

    fn __boxed_shutdown(&self, cx: Context) -> impl Future<Output = Result<(), BoxError>> + Send {
        FunctionEnd {
            future: Box::pin((self.shutdown)(cx)),
        }
    }

    fn settings(&self) -> Settings {
        named_after::<R>()
    }
}

impl<T, R, F> Service for ServiceFnWith<T, R>
where
    T: Send + Sync + 'static,
    R: Fn(Arc<T>, Context) -> F + Send + Sync + 'static,
    F: Future<Output: Outcome> + Send,
{
    type Error = BoxError;

    fn run(&self, cx: Context) -> impl Future<Output = Result<(), BoxError>> + Send {
        FunctionEnd {
            future: (self.run)(Arc::clone(&self.state), cx),
        }
    }

    fn __boxed_run(&self, cx: Context) -> impl Future<Output = Result<(), BoxError>> + Send {
        FunctionEnd {
            future: Box::pin((self.run)(Arc::clone(&self.state), cx)),
        }
    }

    fn settings(&self) -> Settings {
        named_after::<R>()
    }
}

impl<T, R, H, F, G> Service for ServicePairWith<T, R, H>
where
    T: Send + Sync + 'static,
    R: Fn(Arc<T>, Context) -> F + Send + Sync + 'static,
    F: Future<Output: Outcome> + Send,
    H: Fn(Arc<T>, Context) -> G + Send + Sync + 'static,
    G: Future<Output: Outcome> + Send,
{
    type Error = BoxError;

    fn run(&self, cx: Context) -> impl Future<Output = Result<(), BoxError>> + Send {
        FunctionEnd {
            future: (self.run)(Arc::clone(&self.state), cx),
        }
    }

    fn __boxed_run(&self, cx: Context) -> impl Future<Output = Result<(), BoxError>> + Send {
        FunctionEnd {
            future: Box::pin((self.run)(Arc::clone(&self.state), cx)),
        }
    }

    fn shutdown(&self, cx: Context) -> impl Future<Output = Result<(), BoxError>> + Send {
        FunctionEnd {
            future: (self.shutdown)(Arc::clone(&self.state), cx),
        }
    }

    fn __boxed_shutdown(&self, cx: Context) -> impl Future<Output = Result<(), BoxError>> + Send {
        FunctionEnd {
            future: Box::pin((self.shutdown)(Arc::clone(&self.state), cx)),
        }
    }

    fn settings(&self) -> Settings {
        named_after::<R>()
    }
}

impl<T, R: Clone> Clone for ServiceFnWith<T, R> {
    fn clone(&self) -> Self {
        Self {
            state: Arc::clone(&self.state),
            run: self.run.clone(),
        }
    }
}

impl<T, R: Clone, H: Clone> Clone for ServicePairWith<T, R, H> {
    fn clone(&self) -> Self {
        Self {
            state: Arc::clone(&self.state),
            run: self.run.clone(),
            shutdown: self.shutdown.clone(),
        }
    }
}

impl<R> fmt::Debug for ServiceFn<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceFn({})", name::of_function::<R>())
    }
}

impl<R, H> fmt::Debug for ServicePair<R, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServicePair({})", name::of_function::<R>())
    }
}

impl<T, R> fmt::Debug for ServiceFnWith<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceFnWith({})", name::of_function::<R>())
    }
}

impl<T, R, H> fmt::Debug for ServicePairWith<T, R, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServicePairWith({})", name::of_function::<R>())
    }
}
