//! A service that asks its own runner.

use std::sync::{Arc, Mutex};

use startstop_core::{
    Backoff, Context, Exit, RestartPolicy, Runner, Settings, State, StopError, service_fn,
};
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

#[tokio::test(start_paused = true)]
async fn a_task_that_outlives_its_attempt_asks_for_nothing() {
    let first = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&first);
    let service = service_fn(move |cx: Context| {
        keep.lock().unwrap().get_or_insert(cx.clone());
        async move {
            if cx.attempt() == 1 && cx.cycle() == 1 {
                return Err("again");
            }
            cx.cancelled().await;
            Ok(())
        }
    });
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(SECOND));
    let runner = Runner::with_settings(service, Settings::new().restart(policy));
    let ask = async |state: State, cycles: u64| {
        within(runner.wait_for(state)).await;
        let over = first
            .lock()
            .unwrap()
            .clone()
            .expect("the first attempt has begun");
        over.request_stop();
        over.request_restart();
        idle().await;
        assert_eq!((runner.state(), runner.status().cycles()), (state, cycles));
    };
    runner.request_start();
    ask(State::Backoff, 1).await;
    ask(State::Running, 1).await;
    runner.stop().await.unwrap();
    ask(State::Stopped, 1).await;
    runner.start().await.unwrap();
    ask(State::Running, 2).await;
    runner.stop().await.unwrap();
}
