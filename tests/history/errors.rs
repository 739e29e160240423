//! `errors_list` and `errors_last`: the current or most recent cycle.

use startstop_core::{Backoff, RestartPolicy, Runner, Settings, State};

use crate::support::{Act, Broken, Event, Probe, Remote, idle, probed};

async fn failed_twice() -> (Runner<Probe>, Remote) {
    let policy = RestartPolicy::on_failure().backoff(Backoff::none());
    let (runner, mut probe) = probed(Settings::new().restart(policy));
    probe.tell(Act::Fail("one"));
    probe.tell(Act::Fail("two"));
    runner.start().await.unwrap();
    probe.until(Event::Run(1, 3)).await;
    (runner, probe)
}

fn texts(runner: &Runner<Probe>) -> Vec<&'static str> {
    let own = |f: &startstop_core::Failure| f.error().downcast_ref::<Broken>().unwrap().0;
    runner.errors_list().iter().map(own).collect()
}

#[tokio::test(start_paused = true)]
async fn automatic_restarts_keep_the_list() {
    let (runner, _probe) = failed_twice().await;
    assert_eq!(texts(&runner), ["one", "two"]);
    let last = runner.errors_last().unwrap();
    assert_eq!(last.error().downcast_ref(), Some(&Broken("two")));
}

#[tokio::test(start_paused = true)]
async fn a_start_clears_the_list_and_leaves_the_history() {
    let (runner, mut probe) = failed_twice().await;
    runner.start().await.unwrap();
    probe.until(Event::Run(2, 1)).await;
    assert!(runner.errors_list().is_empty());
    assert!(runner.errors_last().is_none());
    assert_eq!(runner.history().entries().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_restart_is_a_cycle_of_its_own() {
    let (runner, mut probe) = failed_twice().await;
    runner.restart().await.unwrap();
    probe.until(Event::Run(2, 1)).await;
    assert!(runner.errors_list().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_list_stays_after_the_end() {
    let (runner, _probe) = failed_twice().await;
    runner.stop().await.unwrap();
    assert_eq!(texts(&runner), ["one", "two"]);
    assert_eq!(runner.status().failures(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_start_on_a_running_service_that_is_left_alone_clears_nothing() {
    let (runner, _probe) = failed_twice().await;
    runner.ensure_running().await.unwrap();
    assert_eq!(texts(&runner), ["one", "two"]);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_never_failed_has_none() {
    let (runner, _probe) = probed(Settings::new());
    assert!(runner.errors_last().is_none() && runner.errors_list().is_empty());
    runner.start().await.unwrap();
    runner.stop().await.unwrap();
    assert!(runner.errors_last().is_none() && runner.history().entries().is_empty());
    assert_eq!(runner.history().evicted(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_failures_of_a_stop_are_those_of_its_cycle() {
    let (runner, probe) = probed(Settings::new());
    probe.on_cancel(Act::Fail("flush"));
    runner.start().await.unwrap();
    idle().await;
    runner.restart().await.unwrap();
    assert!(runner.errors_list().is_empty());
    let history = runner.history();
    assert_eq!(history.entries().len(), 1);
    assert_eq!(history.entries()[0].cycle(), 1);
    assert_eq!(runner.state(), State::Running);
}
