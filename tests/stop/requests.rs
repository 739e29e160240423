//! A service that asks its own runner.

use startstop_core::{Exit, Settings, State, StopError};
use tokio::time::Instant;

use crate::support::{Act, Event, SECOND, assert_took, idle, probed, within};

#[tokio::test(start_paused = true)]
async fn request_stop_inside_run_stops() {
    let (runner, mut probe) = probed(Settings::new());
    runner.start().await.unwrap();
    probe.tell(Act::with(startstop_core::Context::request_stop));
    assert_eq!(within(runner.wait()).await, Exit::Stopped);
    assert_eq!(probe.count(Event::Cancelled), 1);
    assert_eq!(probe.count(Event::Shutdown), 1);
}

#[tokio::test(start_paused = true)]
async fn request_restart_inside_run_begins_a_cycle() {
    let (runner, mut probe) = probed(Settings::new());
    runner.start().await.unwrap();
    probe.tell(Act::with(startstop_core::Context::request_restart));
    probe.until(Event::Run(2, 1)).await;
    assert_eq!(probe.count(Event::Shutdown), 1);
    runner.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stop_wins_over_an_earlier_request_to_restart() {
    let (runner, probe) = probed(Settings::new());
    runner.start().await.unwrap();
    probe.tell(Act::with(|cx| {
        cx.request_restart();
        cx.request_stop();
    }));
    assert_eq!(within(runner.wait()).await, Exit::Stopped);
    idle().await;
    assert_eq!(runner.state(), State::Stopped);
    assert_eq!(probe.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_awaits_its_own_stop_waits_until_the_deadline() {
    let (runner, probe) = probed(Settings::new());
    let own = runner.clone();
    runner.start().await.unwrap();
    probe.tell(Act::with(move |cx| {
        let own = own.clone();
        cx.spawn(async move { own.stop().await });
    }));
    let since = Instant::now();
    within(runner.wait_for(State::Stopped)).await;
    assert_took(since, 5 * SECOND);
    assert_eq!(runner.wait().await, Exit::Aborted);
}

#[tokio::test(start_paused = true)]
async fn a_request_to_stop_in_shutdown_changes_nothing() {
    let (runner, mut probe) = probed(Settings::new());
    probe.on_shutdown(Act::with(startstop_core::Context::request_stop));
    runner.start().await.unwrap();
    probe.next().await;
    let stopped: Result<(), StopError> = within(runner.stop()).await;
    stopped.unwrap();
    assert_eq!(probe.count(Event::Shutdown), 1);
}
