//! The tools of the tests: a service that emits what happens to it and does what it is told, members that write a
//! journal, a
//! census of attempts, ways to wait and to poll.

use std::future::Future;
use std::time::Duration;

use startstop_core::{Cause, Failure, PanicError, Phase, Runner, Settings};
use tokio::time::Instant;

mod act;
mod alarm;
mod alone;
mod calls;
mod census;
pub(crate) mod groups;
mod latch;
mod polling;
mod probe;
mod threads;

use alarm::Alarm;

pub(crate) use act::{Act, Broken};
pub(crate) use alone::alone;
pub(crate) use calls::{Caller, ensure, restart, start, stop, wait};
pub(crate) use census::{Census, PanicsInDrop, deaf, failing, full_cycle, obedient, short};
pub(crate) use latch::Latch;
pub(crate) use polling::{poll_once, poll_up_to, settle, until};
pub(crate) use probe::{Event, Probe, Remote};
pub(crate) use threads::{many_threads, on_each_flavour, one_thread, park_on, spin_until, watched};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A runner of a fresh probe.
pub(crate) fn probed(settings: Settings) -> (Runner<Probe>, Remote) {
    let (probe, remote) = Probe::new();
    (Runner::with_settings(probe, settings), remote)
}

/// Fails instead of hanging: when nothing happens any more in paused time, and after ten minutes of real time.
pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    let mut alarm = Alarm::set();
    tokio::select! {
        biased;
        output = future => output,
        () = tokio::time::sleep(30 * 24 * 60 * 60 * SECOND) => panic!("it should have ended by now"),
        () = alarm.rings() => panic!("hangs"),
    }
}

/// Lets everything that can go on do so. No time passes; for current-thread tests.
pub(crate) async fn idle() {
    for _ in 0..256 {
        tokio::task::yield_now().await;
    }
}

pub(crate) fn assert_panicked(failure: &Failure, phase: Phase, message: &str) {
    assert_eq!((failure.phase(), failure.cause()), (phase, Cause::Panic));
    let panic = failure.error().downcast_ref::<PanicError>().unwrap();
    assert_eq!(panic.message(), message);
}

/// Timers tick in milliseconds.
#[track_caller]
pub(crate) fn assert_took(since: Instant, expected: Duration) {
    let took = since.elapsed();
    let off = took.abs_diff(expected);
    assert!(
        off <= Duration::from_millis(3),
        "took {took:?} instead of {expected:?}"
    );
}
