//! Watches: they see the newest state, skip what they missed, and end with the runner.

use std::time::Duration;

use startstop_core::{Runner, State, StateWatch};

use crate::support::{Census, deaf, many_threads, obedient, poll_once, settle, watched, within};

#[tokio::test(start_paused = true)]
async fn a_watch_sees_the_newest_state_and_skips_what_it_missed() {
    within(async {
        let census = Census::new();
        let runner = Runner::new(obedient(&census));
        let mut states = runner.subscribe();
        assert_eq!(states.get(), State::Stopped);
        assert!(
            poll_once(Box::pin(states.changed())).await.is_none(),
            "nothing has changed"
        );
        runner.start().await.expect("ready at once");
        runner.stop().await.expect("an obedient service stops");
        runner.start().await.expect("ready at once");
        assert_eq!(states.get(), State::Running);
        assert_eq!(states.changed().await, Some(State::Running));
        assert!(
            poll_once(Box::pin(states.changed())).await.is_none(),
            "it has seen this"
        );
        runner.stop().await.expect("an obedient service stops");
        assert_eq!(states.changed().await, Some(State::Stopped));
    })
    .await;
}

async fn until_none(mut states: StateWatch) -> Vec<State> {
    let mut seen = Vec::new();
    while let Some(state) = states.changed().await {
        seen.push(state);
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn watches_end_with_the_runner() {
    within(async {
        let census = Census::new();
        let runner = Runner::new(obedient(&census));
        let watches = [
            runner.subscribe(),
            runner.subscribe(),
            runner.subscribe().clone(),
        ];
        let tasks = watches.map(|states| tokio::spawn(until_none(states)));
        runner.start().await.expect("ready at once");
        settle().await;
        drop(runner);
        for task in tasks {
            let seen = task.await.expect("no panic");
            assert_eq!(seen.last(), Some(&State::Stopped), "{seen:?}");
            assert!(seen.contains(&State::Running));
        }
        census.assert_settled();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_of_a_stopped_runner_ends_when_it_is_dropped() {
    within(async {
        let runner = Runner::new(deaf());
        let mut states = runner.subscribe();
        let waiting = tokio::spawn(until_none(runner.subscribe()));
        settle().await;
        let clone = runner.clone();
        drop(runner);
        settle().await;
        assert!(!waiting.is_finished(), "a clone is left");
        drop(clone);
        assert_eq!(waiting.await.expect("no panic"), []);
        assert_eq!(states.changed().await, None);
        assert_eq!(states.changed().await, None);
        assert_eq!(states.get(), State::Stopped);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_sees_the_end_of_a_service_that_outlives_its_runner_for_a_while() {
    within(async {
        let runner = Runner::new(deaf());
        runner.start().await.expect("ready at once");
        settle().await;
        let states = runner.subscribe();
        drop(runner);
        assert_eq!(states.get(), State::Stopping);
        assert_eq!(until_none(states).await, [State::Stopping, State::Stopped]);
    })
    .await;
}

#[test]
fn a_watch_never_misses_the_last_state() {
    watched(|| {
        many_threads().block_on(within(async {
            for _ in 0..500 {
                let census = Census::new();
                let runner = Runner::new(obedient(&census));
                let watcher = tokio::spawn(until_none(runner.subscribe()));
                runner.start().await.expect("ready at once");
                if fastrand::bool() {
                    let _ = runner.stop_within(Duration::from_secs(1)).await;
                }
                drop(runner);
                let seen = watcher.await.expect("no panic");
                assert!(
                    seen.is_empty() || seen.last() == Some(&State::Stopped),
                    "{seen:?}"
                );
                crate::support::until(|| census.alive() == 0).await;
            }
        }));
    });
}
