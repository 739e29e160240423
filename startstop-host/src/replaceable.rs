//! A service that is replaced while it runs: by another one of its kind, without a gap.

mod run;

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use startstop_core::{BoxError, Context, Readiness, Runner, Service, Settings, StartError};
use tokio::sync::{mpsc, oneshot};

use run::Run;

/// A service that can be replaced while it runs, inside one process: the successor is started, and when it is ready the old
/// one is stopped.
///
/// The factory makes each of them; they differ by what it reads when it is called, a configuration for example. Each has a
/// runner of its own, so one attempt at a time, and is a part of this service with its number as its name: `1`, `2` and so
/// on. For a while there are two of them: what only one can have, such as a listener, is made once and shared, by an `Arc`
/// for example, or is taken by [`Host::handover`](crate::Host::handover) and lent to both.
///
/// A successor that is ready only once the old one has ended, because it waits for a lock or a lease of it, is waited for until its
/// `start_timeout`, and the old one goes on.
///
/// It is ready when the current one is. When that ends by itself, it ends likewise; when it is stopped, so is the current one, and it
/// is the current one that runs again after a restart. The settings of the service count for each of them. A reload is for
/// the [`current`](Self::current) one, by its runner.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use startstop_core::{Runner, service_fn};
/// use startstop_host::Replaceable;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let made = Arc::new(AtomicU32::new(0));
/// let count = Arc::clone(&made);
/// let runner = Runner::new(Replaceable::new(move || {
///     count.fetch_add(1, Ordering::Relaxed); // reads the configuration
///     service_fn(async |cx| cx.cancelled().await)
/// }));
/// runner.start().await.unwrap();
/// assert_eq!(runner.status().children()[0].name(), "1");
///
/// runner.service().replace().await.unwrap();
/// assert_eq!(made.load(Ordering::Relaxed), 2);
/// assert_eq!(runner.status().children()[0].name(), "2");
/// runner.stop().await.unwrap();
/// # }
/// ```
pub struct Replaceable<S: Service> {
    make: Box<dyn Fn() -> S + Send + Sync>,
    name: String,
    current: Mutex<Numbered<S>>,
    /// How many were made, the successors that have failed included.
    made: Mutex<u64>,
    asks: Mutex<Option<mpsc::UnboundedSender<Ask>>>,
}

/// The answer to somebody who waits for a replacement: an error is a panic of the factory, which is theirs.
type Replaced = Result<Result<(), StartError>, Panic>;
type Ask = oneshot::Sender<Replaced>;
type Panic = Box<dyn Any + Send>;

/// One of those that were made.
struct Numbered<S: Service> {
    number: u64,
    runner: Runner<S>,
}

impl<S: Service> Replaceable<S> {
    /// Makes the first one by `make`, which later makes the successors too.
    ///
    /// # Examples
    ///
    /// See [`Replaceable`].
    pub fn new(make: impl Fn() -> S + Send + Sync + 'static) -> Self {
        let runner = Runner::new(make());
        Self {
            make: Box::new(make),
            name: runner.name().to_owned(),
            current: Mutex::new(Numbered { number: 1, runner }),
            made: Mutex::new(1),
            asks: Mutex::new(None),
        }
    }

    /// Returns the runner of the current one.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{State, service_fn};
    /// use startstop_host::Replaceable;
    ///
    /// let service = Replaceable::new(|| service_fn(async |cx| cx.cancelled().await));
    /// assert_eq!(service.current().state(), State::Stopped);
    /// ```
    pub fn current(&self) -> Runner<S> {
        self.numbered().runner
    }

    /// Makes a successor and starts it; when it is ready, stops the old one, and returns when that has ended. If the successor
    /// fails to start, the old one goes on. A second call waits for the first.
    ///
    /// A failed stop of the old one is reported as a failure of this service.
    ///
    /// # Examples
    ///
    /// See [`Replaceable`].
    ///
    /// # Errors
    ///
    /// The errors of the start of the successor; [`StartError::Stopped`] if this service does not run, or is stopped
    /// or ends meanwhile: it ends with the current one, also while a successor starts.
    ///
    /// # Panics
    ///
    /// If the factory panics; the old one goes on.
    ///
    /// # Cancel safety
    ///
    /// Once it was polled the replacement goes on to its end without this future.
    pub async fn replace(&self) -> Result<(), StartError> {
        let (ask, answer) = oneshot::channel();
        let asks = lock(&self.asks).clone();
        let Some(Ok(())) = asks.map(|asks| asks.send(ask)) else {
            return Err(StartError::Stopped);
        };
        match answer.await {
            Ok(Ok(replaced)) => replaced,
            Ok(Err(panic)) => resume_unwind(panic),
            Err(_) => Err(StartError::Stopped),
        }
    }

    fn numbered(&self) -> Numbered<S> {
        let current = lock(&self.current);
        Numbered {
            number: current.number,
            runner: current.runner.clone(),
        }
    }

    fn set_current(&self, new: Numbered<S>) {
        let old = std::mem::replace(&mut *lock(&self.current), new);
        drop(old);
    }

    /// Makes a successor. The factory is called without a lock: it may ask for the current one. A panic of it is that of whoever
    /// has asked.
    fn next(&self) -> Result<Numbered<S>, Panic> {
        let runner = catch_unwind(AssertUnwindSafe(|| Runner::new((self.make)())))?;
        let mut made = lock(&self.made);
        *made += 1;
        Ok(Numbered {
            number: *made,
            runner,
        })
    }

    /// From now on a run listens; who has asked the last one is told that it has ended.
    fn listen(&self) -> mpsc::UnboundedReceiver<Ask> {
        let (asks, asked) = mpsc::unbounded_channel();
        *lock(&self.asks) = Some(asks);
        asked
    }
}

impl<S: Service> Service for Replaceable<S> {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        Run::new(self, cx).drive().await
    }

    /// It is ready when it says so, and its start and stop take as long as those of its services.
    fn settings(&self) -> Settings {
        let settings = Settings::new()
            .name(self.name.clone())
            .readiness(Readiness::Explicit);
        settings
            .start_timeout(Duration::MAX)
            .stop_timeout(Duration::MAX)
    }

    fn grace(&self) -> Option<Duration> {
        Some(self.current().grace_period())
    }
}

impl<S: Service> fmt::Debug for Replaceable<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Numbered { number, runner } = self.numbered();
        f.debug_struct("Replaceable")
            .field("number", &number)
            .field("current", &runner)
            .finish()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
