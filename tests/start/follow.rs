//! Starts whose cycle is replaced follow it into the next.

use startstop_core::{Readiness, Runner, Settings, StartError, State};

use crate::support::{Act, Event, Probe, Remote, ensure, idle, probed, restart, start, stop};

fn explicit() -> (Runner<Probe>, Remote) {
    probed(Settings::new().readiness(Readiness::Explicit))
}

#[tokio::test(start_paused = true)]
async fn a_pending_start_follows_several_restarts() {
    let (runner, mut probe) = explicit();
    let mut pending = vec![start(&runner).await];
    for cycle in 2..5 {
        pending.push(restart(&runner).await);
        probe.until(Event::Run(cycle, 1)).await;
    }
    assert!(pending.iter().all(crate::support::Caller::is_waiting));
    probe.tell(Act::Ready);
    for pending in pending {
        pending.outcome().await.unwrap();
    }
    assert_eq!(probe.runs(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_pending_restart_that_is_replaced_shares_the_failure_of_the_next() {
    let (runner, mut probe) = explicit();
    let first = start(&runner).await;
    let second = restart(&runner).await;
    probe.until(Event::Run(2, 1)).await;
    probe.tell(Act::Fail("the second"));
    assert!(matches!(first.outcome().await, Err(StartError::Failed(f)) if f.cycle() == 2));
    assert!(matches!(second.outcome().await, Err(StartError::Failed(f)) if f.cycle() == 2));
}

#[tokio::test(start_paused = true)]
async fn only_a_stop_gives_stopped() {
    let (runner, mut probe) = explicit();
    let first = start(&runner).await;
    let second = restart(&runner).await;
    probe.until(Event::Run(2, 1)).await;
    assert!(first.is_waiting() && second.is_waiting());
    runner.stop().await.unwrap();
    assert!(matches!(first.outcome().await, Err(StartError::Stopped)));
    assert!(matches!(second.outcome().await, Err(StartError::Stopped)));
}

#[tokio::test(start_paused = true)]
async fn a_stop_during_a_restart_cancels_it() {
    let (runner, probe) = explicit();
    probe.tell(Act::Ready);
    runner.start().await.unwrap();
    probe.on_cancel(Act::Hang);
    let again = restart(&runner).await;
    let stopping = stop(&runner).await;
    assert!(matches!(again.outcome().await, Err(StartError::Stopped)));
    probe.tell(Act::Complete);
    stopping.outcome().await.unwrap();
    idle().await;
    assert_eq!(runner.state(), State::Stopped);
    assert_eq!(probe.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_was_given_up_still_restarts() {
    let (runner, mut probe) = explicit();
    probe.tell(Act::Ready);
    runner.start().await.unwrap();
    restart(&runner).await.give_up().await;
    probe.tell(Act::Ready);
    probe.until(Event::Run(2, 1)).await;
    runner.wait_for(State::Running).await;
}

#[tokio::test(start_paused = true)]
async fn many_starts_at_once_share_one_attempt() {
    let (runner, mut probe) = explicit();
    let mut pending = Vec::new();
    for _ in 0..10 {
        pending.push(start(&runner).await);
        pending.push(ensure(&runner).await);
    }
    probe.tell(Act::Ready);
    for pending in pending {
        pending.outcome().await.unwrap();
    }
    assert_eq!(probe.runs(), 1);
    assert_eq!(probe.count(Event::Shutdown), 0);
}

#[tokio::test(start_paused = true)]
async fn a_restart_after_a_failed_stop_still_restarts() {
    let (runner, mut probe) = probed(Settings::new());
    runner.start().await.unwrap();
    probe.next().await;
    probe.on_cancel(Act::Hang);
    let again = restart(&runner).await;
    let stopping = runner.wait().await;
    assert_eq!(stopping, startstop_core::Exit::Aborted);
    again.outcome().await.unwrap();
    probe.until(Event::Run(2, 1)).await;
    assert_eq!(
        runner.history().entries().len(),
        1,
        "the end that was forced is in the history"
    );
    assert!(runner.errors_list().is_empty());
}
