//! A service as a whole process: signals stop it, and `main` tells how it went.

mod signals;

use std::future::{Future, poll_fn};
use std::io::{self, Write};
use std::pin::{Pin, pin};
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use std::{fmt, thread};

use tokio::runtime::Handle;

use crate::engine::request::pending::redeem;
use crate::engine::request::{self, Wanted};
use crate::engine::waiters::Answer;
use crate::report::error::{StartError, StopError};
use crate::report::failure::Fault;
use crate::report::state::Exit;
use crate::runner::Runner;
use crate::runner::driver::Inner;
use crate::runner::snapshot;
use crate::service::Service;

use signals::{Signal, Signals};

/// What a third signal does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Third {
    /// Nothing: the stop goes on to its verdict.
    Waits,
    /// It ends the process.
    Exits,
}

/// A future, or a signal that came first.
enum First<T> {
    Done(T),
    Signal(Signal),
}

impl<S: Service> Runner<S> {
    /// Starts the service unless it is running, waits until it ends or SIGINT or SIGTERM comes (Ctrl-C
    /// and close on Windows), and stops it.
    ///
    /// A second signal while it is stopping aborts it at once. SIGHUP is [`reload`](Self::reload). A
    /// signal while it is starting is a stop as well, and no error. What does not yield gives
    /// [`Exit::Unresponsive`] after `abort_timeout`; since a blocked thread holds up the end of the
    /// runtime for ever, leave the process then, as [`run`] does. The handlers of the signals stay
    /// installed when it returns.
    ///
    /// The runtime needs its I/O and time drivers. A service that blocks the thread of a
    /// single-threaded runtime blocks this function as well.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use startstop_core::{Exit, Runner, StartError, service_fn};
    ///
    /// #[tokio::main]
    /// async fn main() -> Result<Exit, StartError> {
    ///     let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    ///     runner.run_until_signal().await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`ensure_running`](Self::ensure_running). If the signals cannot be listened to it is
    /// [`Failed`](StartError::Failed) with the `io::Error`.
    ///
    /// # Cancel safety
    ///
    /// When it is dropped the service goes on; signals that come then are lost.
    pub async fn run_until_signal(&self) -> Result<Exit, StartError> {
        until_signal(self, Third::Waits).await
    }
}

/// Runs a service as the whole of a program: [`Runner::run_until_signal`] in one line of `main`.
///
/// It prints a start failure, or the last failure with its source chain, to stderr. On
/// [`Exit::Unresponsive`], or a third signal, it prints what is stuck and exits the process with 1,
/// since a blocked thread would otherwise hold up the end of the runtime for ever. The exit code is 0
/// for [`Exit::Completed`] and [`Exit::Stopped`], else 1.
///
/// # Examples
///
/// ```no_run
/// use std::process::ExitCode;
/// use startstop_core::service_fn;
///
/// #[tokio::main]
/// async fn main() -> ExitCode {
///     startstop_core::run(service_fn(async |cx| cx.cancelled().await)).await
/// }
/// ```
///
/// # Cancel safety
///
/// When it is dropped the service is asked to stop.
pub async fn run<S: Service>(service: S) -> ExitCode {
    let runner = Runner::new(service);
    match until_signal(&runner, Third::Exits).await {
        Ok(Exit::Unresponsive) | Err(StartError::Unresponsive) => exit_stuck(runner.inner()),
        Ok(exit) => {
            if let (false, Some(failure)) = (exit.is_success(), runner.errors_last()) {
                tell(format_args!("{failure:?}"));
            }
            exit.into()
        }
        Err(error) => {
            tell(format_args!("{error:?}"));
            ExitCode::FAILURE
        }
    }
}

async fn until_signal<S: Service>(runner: &Runner<S>, third: Third) -> Result<Exit, StartError> {
    if Handle::try_current().is_err() {
        return Err(StartError::NoRuntime);
    }
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => return Err(cannot_listen(runner.inner(), error)),
    };
    match run_or_signal(runner, &mut signals, runner.ensure_running()).await {
        First::Done(Ok(())) => {}
        First::Done(Err(error)) => return Err(error),
        First::Signal(_) => return Ok(stop(runner, &mut signals, third).await),
    }
    let rest = request::wait_for_rest(&runner.inner().core, None);
    let rest = redeem(runner.inner(), rest, Answer::seen);
    match run_or_signal(runner, &mut signals, rest).await {
        First::Done(()) => Ok(ended(runner)),
        First::Signal(_) => Ok(stop(runner, &mut signals, third).await),
    }
}

/// Waits for a future, or for a signal that asks for the end; passes on the requests to reload meanwhile.
async fn run_or_signal<S: Service, T>(
    runner: &Runner<S>,
    signals: &mut Signals,
    future: impl Future<Output = T>,
) -> First<T> {
    let mut future = pin!(future);
    loop {
        match first(signals, future.as_mut()).await {
            First::Signal(Signal::Reload) => runner.request_reload(),
            other => return other,
        }
    }
}

async fn first<T>(
    signals: &mut Signals,
    mut future: Pin<&mut impl Future<Output = T>>,
) -> First<T> {
    poll_fn(|cx| {
        if let Poll::Ready(done) = future.as_mut().poll(cx) {
            return Poll::Ready(First::Done(done));
        }
        signals.poll_next(cx).map(First::Signal)
    })
    .await
}

async fn stop<S: Service>(runner: &Runner<S>, signals: &mut Signals, third: Third) -> Exit {
    let mut stopped = pin!(runner.stop());
    let mut asked = 1;
    loop {
        match first(signals, stopped.as_mut()).await {
            First::Done(Err(StopError::Unresponsive(_))) => return Exit::Unresponsive,
            First::Done(_) => return ended(runner),
            First::Signal(Signal::Reload) => {}
            First::Signal(Signal::End) => asked += 1,
        }
        match (asked, third) {
            (2, _) => {
                request::stop(runner.inner(), Some(Duration::ZERO), Wanted::No);
            }
            (3.., Third::Exits) => exit_stuck(runner.inner()),
            _ => {}
        }
    }
}

/// How the service has ended. Somebody else may have started it again by now, which is not waited for.
fn ended<S: Service>(runner: &Runner<S>) -> Exit {
    let cell = runner.inner().core.cell();
    if cell.life.has_verdict() { Exit::Unresponsive } else { cell.exit }
}

/// Nothing of the service runs, and nothing would tell it to stop: it does not start.
fn cannot_listen<S: Service>(inner: &Arc<Inner<S>>, error: std::io::Error) -> StartError {
    let failure = request::record(inner, Fault::of(|| error.into()));
    StartError::Failed(failure)
}

/// How long it may take to say what is stuck, which asks the service for what it is made of.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Ends the process although something of the service is still there.
fn exit_stuck<S: Service>(inner: &Arc<Inner<S>>) -> ! {
    let exit = || {
        thread::sleep(LAST_WORDS);
        process::exit(1);
    };
    // Without such a thread the words come all the same.
    drop(thread::Builder::new().spawn(exit));
    snapshot::stuck(&**inner, |line| tell(format_args!("{line}")));
    process::exit(1)
}

/// Prints to stderr, which nobody may listen to any more.
fn tell(line: fmt::Arguments<'_>) {
    drop(writeln!(io::stderr(), "{line}"));
}
