//! Futures that are polled once and then kept without polling, while the service hangs.

use std::time::Duration;

use startstop_core::{Readiness, Runner, Settings, StartError, State, StopError};
use tokio_util::sync::CancellationToken;

use crate::support::{Census, deaf, obedient, poll_once, settle, short, until, within};

#[tokio::test(start_paused = true)]
async fn a_stop_that_is_not_polled_any_more_reaches_its_deadline() {
    within(async {
        let runner = Runner::new(deaf());
        runner.start().await.expect("ready at once");
        settle().await;
        let mut stop = Box::pin(runner.stop());
        assert!(poll_once(&mut stop).await.is_none());
        runner.wait_for(State::Stopped).await;
        assert!(matches!(stop.await, Err(StopError::TimedOut)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_not_polled_any_more_reaches_its_deadline() {
    within(async {
        let runner = Runner::with_settings(deaf(), short().readiness(Readiness::Explicit));
        let mut start = Box::pin(runner.start());
        assert!(poll_once(&mut start).await.is_none());
        runner.wait().await;
        assert!(matches!(start.await, Err(StartError::TimedOut)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_is_not_polled_any_more_replaces_a_service_that_hangs() {
    within(async {
        let runner = Runner::with_settings(deaf(), Settings::new());
        runner.start().await.expect("ready at once");
        settle().await;
        let mut restart = Box::pin(runner.restart());
        assert!(poll_once(&mut restart).await.is_none());
        runner.wait().await;
        runner.wait_for(State::Running).await;
        assert_eq!(runner.status().cycles(), 2);
        restart.await.expect("the new cycle is ready");
        let _ = runner.stop_within(Duration::ZERO).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_waits_for_who_comes_late() {
    within(async {
        let census = Census::new();
        let runner = Runner::new(obedient(&census));
        let mut start = Box::pin(runner.start());
        let _ = poll_once(&mut start).await;
        until(|| runner.is_running()).await;
        let (wait, stopped) = (runner.wait(), runner.wait_for(State::Stopped));
        for _ in 0..10 {
            runner.restart().await.expect("ready at once");
        }
        runner.stop().await.expect("an obedient service stops");
        start.await.expect("its own cycle was ready");
        assert_eq!(wait.await, startstop_core::Exit::Stopped);
        runner.start().await.expect("ready at once");
        stopped.await;
        runner.stop().await.expect("an obedient service stops");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_parent_is_heard_though_the_start_is_not_polled_any_more() {
    within(async {
        let parent = CancellationToken::new();
        let settings = Settings::new().readiness(Readiness::Explicit);
        let runner = Runner::with_settings(deaf(), settings);
        let mut start = Box::pin(runner.start_with(&parent));
        assert!(poll_once(&mut start).await.is_none());
        settle().await;
        parent.cancel();
        runner.wait().await;
        assert_eq!(runner.state(), State::Stopped);
        assert!(matches!(start.await, Err(StartError::Stopped)));
    })
    .await;
}
