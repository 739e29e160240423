//! A runner as a service: a part of an owner.
//!
//! The service of the inner runner keeps its own deadlines. So the future of `run` may be dropped, but
//! the attempt of the owner has not ended before the inner cycle has: it holds a place in it. Once the owner is told to
//! stop, the place lets no cycle begin: `shutdown` stops the part once, and does not look at it again.

mod readiness;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use super::Runner;
use crate::engine::attempt_guard::{AttemptGuard, Closed};
use crate::engine::ended;
use crate::engine::request::pending::{ask, wait_reply};
use crate::engine::request::{self, Caller};
use crate::engine::task::wait_if_runtime_ends;
use crate::engine::waiters::Answer;
use crate::report::error::{StartError, StopError};
use crate::report::panic::BoxError;
use crate::report::state::Readiness;
use crate::report::status::Status;
use crate::rules::lifecycle::StopStage;
use crate::runner::{erased, listen, snapshot};
use crate::service::context::{Context, Reload};
use crate::service::{Parts, Service, SharedRunner, Spans};
use crate::settings::Settings;

/// As a service a runner starts the inner service, ends when that does, and stops it.
///
/// It is [`Explicit`](Readiness::Explicit), never restarts, has no watchdog and waits for ever: the
/// inner service keeps its own timeouts. Once started, it is [ready](Runner::is_ready) while the inner
/// service is: not in the backoff of that, and not while that is restarted, drains or has taken its
/// readiness back.
///
/// Once the owner is told to stop, the inner service stays down until the owner has ended: a start that is asked for
/// meanwhile is [`Stopped`](StartError::Stopped).
impl<S: Service> Service for Runner<S> {
    type Error = BoxError;

    fn run(&self, cx: Context) -> impl Future<Output = Result<(), BoxError>> + Send {
        run(self, cx)
    }

    async fn shutdown(&self, cx: Context) -> Result<(), BoxError> {
        stop(self, cx.remaining()).await.map_err(Into::into)
    }

    fn settings(&self) -> Settings {
        Settings::new()
            .name(self.name().to_owned())
            .readiness(Readiness::Explicit)
            .start_timeout(Duration::MAX)
            .stop_timeout(Duration::MAX)
    }

    fn children(&self) -> Vec<Status> {
        vec![self.status()]
    }

    fn grace(&self) -> Option<Duration> {
        Some(self.grace_period())
    }

    /// Without the drain, which is that of the owner.
    fn __grace(&self, parts: Spans<'_>) -> Option<Duration> {
        parts.0.first().map(|(_, part)| part.stop)
    }

    fn __parts(&self) -> Parts {
        Parts(vec![(
            self.inner().shared().settings.shared_name(),
            self.node(),
        )])
    }

    fn __share(self) -> Result<SharedRunner, Self> {
        Ok(SharedRunner(Box::new(erased(self))))
    }
}

/// Aborts the part when the future of the owner's `run` is dropped before the part has ended.
struct AbortOnDrop<'a, S: Service> {
    runner: &'a Runner<S>,
    armed: bool,
}

impl<S: Service> Drop for AbortOnDrop<'_, S> {
    fn drop(&mut self) {
        if self.armed {
            request::abort_part(self.runner.inner());
        }
    }
}

async fn run<S: Service>(runner: &Runner<S>, cx: Context) -> Result<(), BoxError> {
    let place = match AttemptGuard::kept(&cx) {
        Ok(Some(place)) => place.until(StopStage::Cancelled),
        Ok(None) => return run_alone(runner, cx).await,
        Err(Closed) => return Ok(()),
    };
    let owner = Some(place.owner());
    if let Some(attempt) = cx.attempt_link() {
        let name = runner.inner().shared().settings.shared_name();
        listen::place(attempt.node(), &name, &runner.node());
    }
    let mut guard = AbortOnDrop {
        runner,
        armed: true,
    };
    let start = |wanted: Caller<'_>| {
        request::start_part(runner.inner(), place, request::Start::First, wanted)
    };
    let started = ask(runner.inner(), start, Answer::start).await;
    let result = finish(runner, &cx, started, owner).await;
    if snapshot::was_aborted(&**runner.inner()) {
        wait_if_runtime_ends().await;
    }
    guard.armed = false;
    result
}

/// Under a context without a runner there is nobody who calls `shutdown`.
async fn run_alone<S: Service>(runner: &Runner<S>, cx: Context) -> Result<(), BoxError> {
    let started = runner.ensure_running().await;
    let end = finish(runner, &cx, started, None);
    match cx.run_until_cancelled(end).await {
        Some(result) => result,
        None => runner.stop().await.map_err(Into::into),
    }
}

async fn finish<S: Service>(
    runner: &Runner<S>,
    cx: &Context,
    started: Result<(), StartError>,
    owner: Option<usize>,
) -> Result<(), BoxError> {
    let _followed = match started {
        Ok(()) => Some(readiness::follow(cx, runner.inner())),
        // It was told to stop, by its handle or with the owner: that is no failure.
        Err(StartError::Stopped) => None,
        Err(error) => return Err(error.into()),
    };
    let rest = request::wait_for_rest(runner.inner().shared(), owner);
    let mut rest = pin!(wait_reply(runner.inner(), rest, Answer::seen));
    while let Some(reload) = next_reload(cx, rest.as_mut()).await {
        match before(pin!(runner.reload()), rest.as_mut()).await {
            Some(result) => reload.answer(result),
            None => break,
        }
    }
    outcome(runner, cx)
}

/// Waits for a reload request to the owner: `None` when the part has ended before one came.
async fn next_reload(cx: &Context, rest: Pin<&mut impl Future<Output = ()>>) -> Option<Reload> {
    before(pin!(cx.reloaded()), rest).await
}

/// The output of a future, unless the part ends before it is there.
async fn before<T>(
    mut future: Pin<&mut impl Future<Output = T>>,
    mut rest: Pin<&mut impl Future<Output = ()>>,
) -> Option<T> {
    poll_fn(|task| {
        if rest.as_mut().poll(task).is_ready() {
            return Poll::Ready(None);
        }
        future.as_mut().poll(task).map(Some)
    })
    .await
}

/// Stops the part of an owner that has so much time left.
async fn stop<S: Service>(runner: &Runner<S>, left: Option<Duration>) -> Result<(), StopError> {
    ask(
        runner.inner(),
        |wanted| request::stop_part(runner.inner(), left, wanted),
        Answer::stop,
    )
    .await
}

/// Returns how the inner cycle ended, as the result of `run`.
fn outcome<S: Service>(runner: &Runner<S>, cx: &Context) -> Result<(), BoxError> {
    let synced = runner.inner().shared().synced();
    if let Some(stuck) = synced.unresponsive() {
        return Err(StopError::Unresponsive(stuck.clone()).into());
    }
    let failure = ended::failed_end(&synced).cloned();
    drop(synced);
    match failure {
        // Once the owner stops, `shutdown` tells what went wrong.
        Some(failure) if !cx.is_cancelled() => Err(failure.into()),
        _ => Ok(()),
    }
}
