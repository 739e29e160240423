//! A service as a program: it is started, ends or is told to, and `main` learns with which code.

use std::future::{Future, pending};
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::aside::{A_SECOND, aside};
use super::handoff::handoff;
use super::hub::{self, Listening};
use super::leave::exit;
use super::on_exit;
use super::stage::IfStuck;
use super::stderr::print;
use super::subject::{AskedAt, Subject, grace_of};
use crate::engine::request::pending::{ask, wait_reply};
use crate::engine::request::{self, Caller, StartKind};
use crate::engine::waiters::Answer;
use crate::engine::{Node, ended};
use crate::report::error::StartError;
use crate::report::exit_code::exit_code;
use crate::report::failure::{Failure, RawFailure};
use crate::report::panic::catch_panic;
use crate::report::state::{Cause, Exit};
use crate::report::text::Escaped;
use crate::runner::{AnyRunner, Runner, erased, snapshot, unshared};
use crate::service::Service;

/// Runs a service as a whole program: does [`Runner::run_until_signal`] in one line of an async `main`.
///
/// It prints a start failure, or the last failure with its source chain, to stderr, and calls the functions that
/// [`on_exit`](crate::on_exit) has registered. The exit code is 0 for [`Exit::Completed`] and [`Exit::Stopped`], else 1 or
/// the code of a [`WithExitCode`](crate::WithExitCode). A stderr that nobody reads does not stop the program: if it is
/// closed the program goes on at once, if it is a full pipe, a second later. `run(runner.clone())` keeps a handle of the
/// service.
///
/// A service that does not yield does not keep the process. `run` prints the stuck parts, with the last checkpoints, and
/// exits the process with 1 when the service is given up ([`Exit::Unresponsive`]), at a third signal, when a second more
/// than its [`grace_period`](Runner::grace_period) has passed since the first signal, or when no worker of the runtime was
/// free for the `abort_timeout` of a service that was given up. The same holds on a runtime with one worker or a single
/// thread. No destructor runs then, but the functions of `on_exit` are called. The service is dropped before `run` returns:
/// a destructor that panics is printed, and one that blocks does not keep a process that a signal has told to end.
///
/// After `run` has returned, signals do what they do by default, except for a SIGTERM within a second of the last one, which
/// is the same request. On Windows they do nothing any more. A task in the blocking pool can hold up the end of a runtime
/// for ever: [`main`](crate::main) prevents that.
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
/// When this future is dropped, the service is asked to stop.
pub async fn run<S: Service>(service: S) -> ExitCode {
    Operation::new(service).boxed_run().await
}

/// Runs a service as [`run`] does, and awaits `last` once it has ended, before its value is dropped. For `startstop-host`.
///
/// # Cancel safety
///
/// When this future is dropped, the service is asked to stop, and `last` is dropped.
#[doc(hidden)]
pub async fn __run_until<S: Service>(service: S, last: LastWork) -> ExitCode {
    Operation::new(service).until(last).boxed_run().await
}

/// The end of what goes on beside a service.
pub(super) type LastWork = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A service that is to be run as a program. When it is dropped the service is asked to stop.
pub(super) struct Operation {
    node: Arc<dyn Node>,
    /// Keeps the runner.
    _runner: AnyRunner,
    last: Option<LastWork>,
    has_ended: bool,
}

impl Drop for Operation {
    fn drop(&mut self) {
        if !self.has_ended {
            request::stop(&self.node, None, Caller::No);
        }
    }
}

impl Operation {
    pub(super) fn new<S: Service>(service: S) -> Self {
        match service.__share() {
            // A runner is not put into another one, which would lengthen all paths.
            Ok(shared) => Self::of(unshared(shared)),
            Err(service) => Self::of(erased(Runner::new(service))),
        }
    }

    fn of(runner: AnyRunner) -> Self {
        Self {
            node: runner.node(),
            _runner: runner,
            last: None,
            has_ended: false,
        }
    }

    /// The same, that awaits `last` before it drops the service.
    pub(super) fn until(self, last: LastWork) -> Self {
        let mut until = self;
        until.last = Some(last);
        until
    }

    pub(super) fn abort_timeout(&self) -> Duration {
        self.node.shared().settings.abort_timeout()
    }

    /// The same in a box: the code of a future that is awaited would be compiled with each user's crate.
    fn boxed_run(self) -> Pin<Box<dyn Future<Output = ExitCode> + Send>> {
        Box::pin(self.run())
    }

    pub(super) async fn run(mut self) -> ExitCode {
        let asked_at = AskedAt::default();
        let result = until_signal(&self.node, IfStuck::Exits, &asked_at).await;
        self.has_ended = true;
        let code = tell(&self.node, result);
        on_exit::call_all_aside().await;
        if let Some(last) = self.last.take() {
            last.await;
        }
        self.let_go(asked_at.get().copied());
        ExitCode::from(code)
    }

    /// Drops the service, and what is kept of it: destructors may panic, and may block. Once a signal has asked for the
    /// end the process is left in time.
    fn let_go(self, asked_at: Option<Instant>) {
        let (giver, taker) = handoff();
        if let Some(asked_at) = asked_at {
            let name = Escaped(self.node.shared().name()).to_string();
            let limit = grace_of(&self.node).saturating_add(A_SECOND);
            let soon = Instant::now() + A_SECOND;
            if let Some(until) = asked_at.checked_add(limit) {
                aside(move || {
                    if taker.take_until(until.max(soon)).is_none() {
                        print(move || {
                            format!("a destructor of service \"{name}\" does not return")
                        });
                        exit(1);
                    }
                });
            }
        }
        let dropped = catch_panic(|| drop(self));
        giver.give(());
        if let Err(panic) = dropped {
            print(move || format!("a destructor {}", Escaped(&panic.to_string())));
        }
    }
}

/// Starts the service unless it is running, and waits until it ends or a signal has ended it.
pub(super) async fn until_signal(
    node: &Arc<dyn Node>,
    if_stuck: IfStuck,
    asked_at: &AskedAt,
) -> Result<Exit, StartError> {
    let Ok(on) = Handle::try_current() else {
        return Err(StartError::NoRuntime);
    };
    let (subject, helpers) = Subject::new(Arc::clone(node), on, if_stuck, asked_at);
    let result = match hub::listen(&subject) {
        Ok(listening) => end_of(&subject, listening).await,
        Err(error) => Err(cannot_listen(node, error)),
    };
    drop(subject);
    helpers.are_done().await;
    result
}

async fn end_of(subject: &Arc<Subject>, _listening: Listening<'_>) -> Result<Exit, StartError> {
    let result = operate(subject).await;
    let is_stuck = matches!(
        result,
        Ok(Exit::Unresponsive) | Err(StartError::Unresponsive)
    );
    if subject.if_stuck() == IfStuck::Exits {
        if is_stuck {
            let subject = Arc::clone(subject);
            aside(move || subject.leave());
        }
        if is_stuck || !subject.finish() {
            // The process exits.
            pending::<()>().await;
        }
    }
    result
}

async fn operate(subject: &Arc<Subject>) -> Result<Exit, StartError> {
    if subject.is_asked_before_start() {
        return Ok(Exit::Stopped);
    }
    let node = subject.node();
    let start = |wanted: Caller<'_>| {
        let reply = request::start(node, StartKind::Ensure, None, wanted);
        subject.has_started();
        reply
    };
    match ask(node, start, Answer::start).await {
        Err(error) if !subject.is_asked() => return Err(error),
        _ => {}
    }
    wait_reply(
        node,
        request::wait_for_rest(node.shared(), None),
        Answer::seen,
    )
    .await;
    Ok(ended(node))
}

/// Returns how the service has ended. Somebody else may have started it again by now, which is not waited for.
fn ended(node: &Arc<dyn Node>) -> Exit {
    let synced = node.shared().synced();
    if synced.life.is_unresponsive() {
        Exit::Unresponsive
    } else {
        synced.exit
    }
}

/// Nothing of the service runs, and nothing would tell it to stop: it does not start.
fn cannot_listen(node: &Arc<dyn Node>, error: std::io::Error) -> StartError {
    StartError::Failed(request::record(node, RawFailure::of(|| error.into())))
}

/// Prints what went wrong; the exit code.
fn tell(node: &Arc<dyn Node>, result: Result<Exit, StartError>) -> u8 {
    let last = snapshot::errors_last(node.shared());
    let code = last
        .clone()
        .and_then(|failure| catch_panic(|| exit_code(&failure)).ok().flatten());
    match result {
        Ok(exit) if exit.is_success() => return 0,
        Ok(_) => last
            .into_iter()
            .for_each(|failure| print(move || format!("{failure:?}"))),
        Err(error) => {
            let late = too_late(node, &error);
            print(move || match late {
                Some(late) => format!("{error:?}\n  caused by: {late:?}"),
                None => format!("{error:?}"),
            });
        }
    }
    code.unwrap_or(1)
}

/// The failure of a start that took too long, which says who was late. Those of the rollback have come after it, and there may be
/// more of them than the history holds.
fn too_late(node: &Arc<dyn Node>, error: &StartError) -> Option<Failure> {
    if !matches!(error, StartError::TimedOut) {
        return None;
    }
    let end = ended::failed_end(&node.shared().synced()).cloned();
    let others = snapshot::errors_list(node.shared()).into_iter().rev();
    let is_late = |failure: &Failure| failure.cause() == Cause::TimedOut;
    end.into_iter().chain(others).find(is_late)
}
