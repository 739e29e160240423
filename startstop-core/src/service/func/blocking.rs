//! A service whose `run` is synchronous, on a thread of its own.

use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, PoisonError};
use std::task::{Poll, Waker};
use std::thread;

use crate::engine::attempt_guard::{AttemptGuard, Closed};
use crate::report::failure::RawFailure;
use crate::report::outcome::Outcome;
use crate::report::panic::{BoxError, PanicError};
use crate::service::Service;
use crate::service::context::Context;
use crate::service::func::named_after;
use crate::settings::Settings;
use crate::sync::{Mutex, MutexGuard, spawn_thread};

/// Makes a service of a synchronous function: its `run`.
///
/// It gets an operating-system thread of its own, not one of the blocking pool, so that it never holds up the end of the
/// runtime. The function has to look for the stop itself, by [`cx.is_cancelled()`](Context::is_cancelled) or in
/// [`cx.cancelled_blocking(timeout)`](Context::cancelled_blocking). A thread cannot be aborted: a function that does not
/// look is `Unresponsive` after its deadlines, and the service is stopped when the function returns. If only a second call
/// can wake the function, give that to [`on_shutdown`](BlockingFn::on_shutdown). If the system gives no thread, the attempt
/// fails with the `io::Error`.
///
/// A clock that is paused (`tokio::time::pause`) does not wait for a thread: it jumps to the next deadline while
/// the thread still looks. In a test that stops a blocking function, leave the clock running.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use startstop_core::{Runner, blocking_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let poller = blocking_fn(|cx| {
///     while !cx.cancelled_blocking(Duration::from_millis(100)) {
///         println!("reading the sensor");
///     }
/// });
/// let runner = Runner::new(poller);
/// runner.start().await.unwrap();
/// runner.stop().await.unwrap();
/// assert!(runner.errors_list().is_empty());
/// # }
/// ```
pub fn blocking_fn<R, O>(run: R) -> BlockingFn<R>
where
    R: Fn(Context) -> O + Send + Sync + 'static,
    O: Outcome,
{
    BlockingFn { run: Arc::new(run) }
}

/// A service made by [`blocking_fn`].
pub struct BlockingFn<R> {
    run: Arc<R>,
}

/// A service made of two functions by [`BlockingFn::on_shutdown`].
pub struct BlockingPair<R, H> {
    run: Arc<R>,
    shutdown: Arc<H>,
}

impl<R> BlockingFn<R> {
    /// Adds the function that makes it stop: its `shutdown`, for what only a second call can wake. It is called on another
    /// thread, while `run` goes on.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::net::{TcpListener, TcpStream};
    /// use std::sync::Arc;
    /// use startstop_core::{Runner, blocking_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let listener = Arc::new(TcpListener::bind("127.0.0.1:0")?);
    /// let addr = listener.local_addr()?;
    /// let server = blocking_fn(move |cx| {
    ///     for client in listener.incoming() {
    ///         if cx.is_cancelled() {
    ///             break;
    ///         }
    ///         drop(client);
    ///     }
    /// })
    /// // A connection wakes `accept`, which nothing else does.
    /// .on_shutdown(move |_cx| TcpStream::connect(addr).map(drop));
    ///
    /// let runner = Runner::new(server);
    /// runner.start().await?;
    /// runner.stop().await?;
    /// assert!(runner.errors_list().is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_shutdown<H, O>(self, shutdown: H) -> BlockingPair<R, H>
    where
        H: Fn(Context) -> O + Send + Sync + 'static,
        O: Outcome,
    {
        BlockingPair {
            run: self.run,
            shutdown: Arc::new(shutdown),
        }
    }
}

impl<R, O> Service for BlockingFn<R>
where
    R: Fn(Context) -> O + Send + Sync + 'static,
    O: Outcome,
{
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        on_a_thread(Arc::clone(&self.run), cx).await
    }

    fn settings(&self) -> Settings {
        named_after::<R>()
    }
}

impl<R, H, O, P> Service for BlockingPair<R, H>
where
    R: Fn(Context) -> O + Send + Sync + 'static,
    H: Fn(Context) -> P + Send + Sync + 'static,
    O: Outcome,
    P: Outcome,
{
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        on_a_thread(Arc::clone(&self.run), cx).await
    }

    async fn shutdown(&self, cx: Context) -> Result<(), BoxError> {
        on_a_thread(Arc::clone(&self.shutdown), cx).await
    }

    fn settings(&self) -> Settings {
        named_after::<R>()
    }
}

/// Calls a function on a thread of its own, which has a place in the attempt.
async fn on_a_thread<F, O>(function: Arc<F>, cx: Context) -> Result<(), BoxError>
where
    F: Fn(Context) -> O + Send + Sync + 'static,
    O: Outcome,
{
    let place = match AttemptGuard::held(&cx) {
        Ok(place) => place,
        Err(Closed) => return Ok(()),
    };
    let receiver = Receiver::default();
    let result = Arc::clone(&receiver.shared);
    // A thread's name may not contain it.
    let name = cx.name().replace('\0', "");
    let span = cx.span();
    let work = move || {
        let call = || span.within(|| function(cx).into_result());
        let outcome = catch_unwind(AssertUnwindSafe(call));
        // The service itself may go with its function.
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(function)));
        deliver(
            &result,
            outcome.and_then(|outcome| dropped.map(|()| outcome)),
            place,
        );
    };
    spawn_thread(Some(name), Box::new(work))?;
    match receiver.take().await {
        Ok(outcome) => outcome,
        Err(payload) => resume_unwind(payload),
    }
}

type ThreadEnd = thread::Result<Result<(), BoxError>>;

/// The state that the thread and `run` share.
#[derive(Default)]
struct ThreadShared {
    /// The outcome, with the place that the thread had in the attempt until `run` takes it.
    ended: Option<(ThreadEnd, Option<AttemptGuard>)>,
    waker: Option<Waker>,
    /// `run` was dropped.
    gone: bool,
}

fn lock(shared: &Mutex<ThreadShared>) -> MutexGuard<'_, ThreadShared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Leaves the outcome for `run`; if that is gone, what went wrong is recorded here.
fn deliver(shared: &Mutex<ThreadShared>, ended: ThreadEnd, place: Option<AttemptGuard>) {
    let mut state = lock(shared);
    if state.gone {
        drop(state);
        record(place.as_ref(), ended);
        return;
    }
    state.ended = Some((ended, place));
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}

fn record(place: Option<&AttemptGuard>, ended: ThreadEnd) {
    let fault = RawFailure::of_end(ended.map_err(PanicError::from_payload));
    if let (Some(place), Some(fault)) = (place, fault) {
        place.record(fault);
    }
}

/// The side of `run`.
#[derive(Default)]
struct Receiver {
    shared: Arc<Mutex<ThreadShared>>,
}

impl Receiver {
    async fn take(&self) -> ThreadEnd {
        poll_fn(|cx| {
            let mut state = lock(&self.shared);
            match state.ended.take() {
                Some((ended, place)) => {
                    drop(state);
                    drop(place);
                    Poll::Ready(ended)
                }
                None => {
                    let old = state.waker.replace(cx.waker().clone());
                    drop(state);
                    drop(old);
                    Poll::Pending
                }
            }
        })
        .await
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let mut state = lock(&self.shared);
        state.gone = true;
        let (ended, waker) = (state.ended.take(), state.waker.take());
        drop(state);
        drop(waker);
        if let Some((ended, place)) = ended {
            record(place.as_ref(), ended);
        }
    }
}

impl<R> Clone for BlockingFn<R> {
    fn clone(&self) -> Self {
        Self {
            run: Arc::clone(&self.run),
        }
    }
}

impl<R, H> Clone for BlockingPair<R, H> {
    fn clone(&self) -> Self {
        Self {
            run: Arc::clone(&self.run),
            shutdown: Arc::clone(&self.shutdown),
        }
    }
}

impl<R, H> fmt::Debug for BlockingPair<R, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "BlockingPair({})",
            crate::service::name::of_function::<R>()
        )
    }
}

impl<R> fmt::Debug for BlockingFn<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "BlockingFn({})",
            crate::service::name::of_function::<R>()
        )
    }
}
