//! Every cell of the table of calls and states, each with somebody who waits in that state already.

use std::time::Duration;

use startstop_core::{Backoff, Readiness, RestartPolicy, Runner, Settings, StartError, State};

use crate::support::{Act, Caller, Event, Probe, Remote, SECOND, idle, probed, start, stop};

mod backoff;
mod backoff_pending;
mod running;
mod starting;
mod stopped;
mod stopping;
mod stopping_pending;

const DELAY: Duration = Duration::from_secs(10);

type Starting = Caller<Result<(), StartError>>;

/// In `Starting`, with a start that waits for the probe to be ready.
async fn starting() -> (Runner<Probe>, Remote, Starting) {
    let (runner, mut probe) = probed(Settings::new().readiness(Readiness::Explicit));
    let first = start(&runner).await;
    assert_eq!(probe.next().await, Event::Run(1, 1));
    assert_eq!(runner.state(), State::Starting);
    assert!(first.is_waiting());
    (runner, probe, first)
}

/// In `Running`.
async fn running() -> (Runner<Probe>, Remote) {
    let (runner, mut probe) = probed(Settings::new());
    runner.start().await.unwrap();
    assert_eq!(probe.next().await, Event::Run(1, 1));
    assert_eq!(runner.state(), State::Running);
    (runner, probe)
}

fn backing_off() -> Settings {
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(DELAY));
    Settings::new()
        .readiness(Readiness::Explicit)
        .restart(policy)
}

/// In `Backoff` after a failure of a service that was ready: no start waits.
async fn backoff() -> (Runner<Probe>, Remote) {
    let (runner, mut probe) = probed(backing_off());
    probe.tell(Act::Ready);
    runner.start().await.unwrap();
    probe.tell(Act::Fail("later"));
    probe.until(Event::RunEnded).await;
    idle().await;
    assert_eq!(runner.state(), State::Backoff);
    (runner, probe)
}

/// In `Backoff` after a failure of a service that was not ready yet: its start waits.
async fn backoff_pending() -> (Runner<Probe>, Remote, Starting) {
    let (runner, mut probe) = probed(backing_off());
    probe.tell(Act::Fail("at once"));
    let first = start(&runner).await;
    probe.until(Event::RunEnded).await;
    idle().await;
    assert_eq!(runner.state(), State::Backoff);
    assert!(first.is_waiting());
    (runner, probe, first)
}

/// In `Stopping` until the probe is told to complete, with a stop that waits.
async fn stopping() -> (
    Runner<Probe>,
    Remote,
    Caller<Result<(), startstop_core::StopError>>,
) {
    let (runner, mut probe) = probed(Settings::new().stop_timeout(3600 * SECOND));
    probe.on_cancel(Act::Hang);
    runner.start().await.unwrap();
    assert_eq!(probe.next().await, Event::Run(1, 1));
    let first = stop(&runner).await;
    assert_eq!(runner.state(), State::Stopping);
    assert_eq!(probe.count(Event::Cancelled), 1);
    assert!(first.is_waiting());
    (runner, probe, first)
}
