//! A service that calls a function again and again.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::resume_unwind;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::engine::catch_unwind::{CatchUnwind, FutureEnd};
use crate::report::failure::RawFailure;
use crate::report::outcome::Outcome;
use crate::report::panic::{BoxError, PanicError, catch_panic};
use crate::report::permanent::Permanent;
use crate::service::Service;
use crate::service::context::Context;
use crate::service::context::attempt_guard::record;
use crate::service::func::named_after;
use crate::settings::Settings;

/// Calls `f` each `period` until it is stopped; the first call is at once.
///
/// Use it for work that repeats by time, in one process. For a calendar (every Monday at three), take a crate for cron
/// expressions and wait for its next moment in a [`service_fn`](crate::service_fn); for work that is done once use
/// [`once`](crate::once).
///
/// A late tick is delayed, not bunched with the next: two calls are at least a period apart, or follow
/// each other directly when one takes longer than that. A call in flight when the stop comes is awaited
/// up to the deadline. An error of `f` goes into the history and does not end the service, unless it
/// is [`Permanent`].
///
/// With a [watchdog](crate::Settings::watchdog) it says by itself that it is alive, so that only `f` is timed: a call must not take
/// longer than the watchdog allows, unless it calls [`heartbeat`](Context::heartbeat).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use startstop_core::{Runner, every};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let beat = every(Duration::from_secs(1), async |cx| {
///     println!("beat");
///     if cx.cycle() == 2 { Err("no pulse") } else { Ok(()) }
/// });
/// let runner = Runner::new(beat);
/// runner.start().await.unwrap();
/// tokio::time::sleep(Duration::from_secs(10)).await;
/// runner.stop().await.unwrap();
/// assert!(runner.errors_list().is_empty());
/// # }
/// ```
///
/// # Panics
///
/// Panics if `period` is zero.
pub fn every<C, F>(period: Duration, f: C) -> Every<C>
where
    C: Fn(Context) -> F + Send + Sync + 'static,
    F: Future<Output: Outcome> + Send,
{
    assert!(
        !period.is_zero(),
        "the period of `every` must be longer than zero"
    );
    Every { period, f }
}

/// A service made by [`every`].
#[derive(Clone)]
pub struct Every<C> {
    period: Duration,
    f: C,
}

impl<C, F> Service for Every<C>
where
    C: Fn(Context) -> F + Send + Sync + 'static,
    F: Future<Output: Outcome> + Send,
{
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        let mut ticks = interval(self.period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while next_tick(&cx, &mut ticks).await {
            // Only the function is timed by the watchdog.
            cx.heartbeat();
            let place = pin!(None);
            let mut caught = CatchUnwind::new(place);
            let FutureEnd { result, dropped } = match caught.fill(|| (self.f)(cx.clone())) {
                Ok(()) => poll_fn(|task| caught.poll(task)).await,
                Err(panic) => FutureEnd {
                    result: Err(panic),
                    dropped: None,
                },
            };
            end_call(
                &cx,
                result.and_then(|output| catch_panic(|| output.into_result())),
                dropped,
            )?;
        }
        Ok(())
    }

    fn settings(&self) -> Settings {
        named_after::<C>()
    }
}

/// The end of a call, and of its future: whether the service goes on. An error may be permanent, so it is that which ends
/// it where the drop of the future has panicked as well.
fn end_call(
    cx: &Context,
    result: Result<Result<(), BoxError>, PanicError>,
    dropped: Option<PanicError>,
) -> Result<(), BoxError> {
    let last = match result {
        Err(panic) => {
            record_drop(cx, dropped);
            Some(panic)
        }
        Ok(Err(error)) if Permanent::is_in(&*error) => {
            record_drop(cx, dropped);
            return Err(error);
        }
        Ok(Err(error)) => {
            cx.report(error);
            dropped
        }
        Ok(Ok(())) => dropped,
    };
    match last {
        Some(panic) => resume_unwind(Box::new(panic.message().to_owned())),
        None => Ok(()),
    }
}

fn record_drop(cx: &Context, dropped: Option<PanicError>) {
    if let Some(panic) = dropped {
        record(cx, RawFailure::panic(panic));
    }
}

/// Waits for the next tick, unless a stop comes first; who waits is not silent.
async fn next_tick(cx: &Context, ticks: &mut Interval) -> bool {
    let _waiting = cx.waiting();
    cx.run_until_cancelled(ticks.tick()).await.is_some()
}

impl<C> fmt::Debug for Every<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Every({:?}, {})",
            self.period,
            crate::service::name::of_function::<C>()
        )
    }
}
