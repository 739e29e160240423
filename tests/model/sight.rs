//! The view of a real runner, in the words of the reference.

use std::sync::atomic::Ordering;
use std::time::Duration;

use startstop_core::{
    Cause, Failure, Phase, ReloadError, Runner, Service, StartError, State, StopError,
};

use super::reference::{Answer, Failed, View};
use super::service::Seen;

pub(super) fn of<S: Service>(runner: &Runner<S>, seen: &Seen, total: bool) -> View {
    let status = runner.status();
    View {
        state: runner.state(),
        ready: runner.is_ready(),
        cycles: status.cycles(),
        attempts: status.attempts(),
        restarts: status.restarts(),
        failures: status.failures(),
        exit: status.last_exit(),
        uptime: millis(runner.uptime()),
        total_uptime: total.then(|| millis(status.total_uptime())),
        next_attempt: status.next_attempt().map(millis),
        history: runner.history().entries().iter().map(failed).collect(),
        last: runner.errors_last().as_ref().map(failed),
        live: seen.live.load(Ordering::Relaxed),
        shutdowns: seen.shutdowns.load(Ordering::Relaxed),
    }
}

/// All ways to read the same thing read the same.
pub(super) fn agrees_with_itself<S: Service>(runner: &Runner<S>) -> Result<(), String> {
    let (status, history) = (runner.status(), runner.history());
    let cycle = status.cycles();
    let listed = runner.errors_list();
    let of_cycle = history
        .entries()
        .iter()
        .filter(|failure| failure.cycle() == cycle);
    let agree = [
        ("state", status.state() == runner.state()),
        (
            "is_running",
            runner.is_running() == (runner.state() == State::Running),
        ),
        ("is_ready", status.is_ready() == runner.is_ready()),
        ("uptime", status.uptime() == runner.uptime()),
        (
            "evicted",
            history.entries().len() as u64 + history.evicted() == status.failures(),
        ),
        (
            "errors_list",
            of_cycle.map(failed).eq(listed.iter().map(failed)),
        ),
        (
            "errors_last",
            listed.is_empty() || listed.last().map(failed) == last(runner),
        ),
        (
            "last_failure",
            status.last_failure().map(failed) == last(runner),
        ),
    ];
    match agree.into_iter().find(|(_, agrees)| !agrees) {
        Some((name, _)) => Err(format!("{name} does not agree with the rest of {status:?}")),
        None => Ok(()),
    }
}

fn last<S: Service>(runner: &Runner<S>) -> Option<Failed> {
    runner.errors_last().as_ref().map(failed)
}

/// Never two attempts at once, and nothing is left of one that has ended.
pub(super) fn is_quiet(seen: &Seen, expected: &View) -> Result<(), String> {
    let runs = seen.runs.load(Ordering::Relaxed);
    let live = seen.live.load(Ordering::Relaxed);
    if seen.overlaps.load(Ordering::Relaxed) > 0 {
        return Err("two attempts at once".to_owned());
    }
    if (runs, live) == (expected.attempts, expected.live) {
        return Ok(());
    }
    Err(format!("{runs} runs, {live} alive instead of {expected:?}"))
}

fn failed(failure: &Failure) -> Failed {
    // Open: which part of an attempt is the first that a runtime drops, and how long a request had run
    // that was refused.
    let refused = failure.error().is::<StartError>();
    let unknown = failure.cause() == Cause::Aborted;
    Failed {
        phase: if unknown { Phase::Run } else { failure.phase() },
        cause: failure.cause(),
        cycle: failure.cycle(),
        attempt: failure.attempt(),
        uptime: if unknown || refused {
            0
        } else {
            millis(failure.uptime())
        },
    }
}

/// Whole milliseconds: what is between two is visible as a large number.
fn millis(time: Duration) -> u64 {
    let whole = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    if Duration::from_millis(whole) == time {
        whole
    } else {
        u64::MAX
    }
}

pub(super) fn started(result: Result<(), StartError>) -> Answer {
    match result {
        Ok(()) => Answer::Ok,
        Err(StartError::Failed(failure)) => Answer::Failed(failed(&failure)),
        Err(StartError::TimedOut) => Answer::TimedOut,
        Err(StartError::Stopped) => Answer::Stopped,
        Err(StartError::Cancelled) => Answer::Cancelled,
        Err(StartError::NoRuntime) => Answer::NoRuntime,
        Err(_) => Answer::Unresponsive,
    }
}

pub(super) fn reloaded(result: Result<(), ReloadError>) -> Answer {
    match result {
        Ok(()) => Answer::Ok,
        Err(ReloadError::Failed(failure)) => Answer::Failed(failed(&failure)),
        Err(ReloadError::Stopped) => Answer::Stopped,
        Err(_) => Answer::NotSupported,
    }
}

pub(super) fn stopped(result: Result<(), StopError>) -> Answer {
    match result {
        Ok(()) => Answer::Ok,
        Err(StopError::Failed(failure)) => Answer::Failed(failed(&failure)),
        Err(StopError::TimedOut) => Answer::TimedOut,
        Err(_) => Answer::Unresponsive,
    }
}
