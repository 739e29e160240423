//! Parents: a token whose end is a stop, cancelled from anywhere at any moment.

mod hammered;

use std::time::Duration;

use startstop_core::{Context, Exit, Readiness, Runner, Settings, StartError, State, service_fn};
use tokio_util::sync::CancellationToken;

use crate::support::{Census, deaf, full_cycle, obedient, settle, until, within};

#[tokio::test(start_paused = true)]
async fn a_parent_that_is_cancelled_stops_the_service() {
    within(async {
        let (census, parent) = (Census::new(), CancellationToken::new());
        let runner = Runner::new(obedient(&census));
        runner.start_with(&parent).await.expect("ready at once");
        settle().await;
        parent.cancel();
        assert_eq!(runner.wait().await, Exit::Stopped);
        census.assert_settled();
        assert_eq!(census.runs(), 1);
        full_cycle(&runner).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_parent_that_is_cancelled_already_starts_nothing() {
    within(async {
        let (census, parent) = (Census::new(), CancellationToken::new());
        parent.cancel();
        let runner = Runner::new(obedient(&census));
        assert!(matches!(
            runner.start_with(&parent).await,
            Err(StartError::Cancelled)
        ));
        assert_eq!((runner.state(), census.runs()), (State::Stopped, 0));
        full_cycle(&runner).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_parent_that_ends_during_the_start_stops_it() {
    within(async {
        let parent = CancellationToken::new();
        let settings = Settings::new().readiness(Readiness::Explicit);
        let runner = Runner::with_settings(deaf(), settings);
        let start = async {
            assert!(matches!(
                runner.start_with(&parent).await,
                Err(StartError::Stopped)
            ));
        };
        let cancel = async {
            settle().await;
            parent.cancel();
        };
        tokio::join!(start, cancel);
        runner.wait().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_parent_belongs_to_the_runner_until_the_next_start() {
    within(async {
        let (census, parent) = (Census::new(), CancellationToken::new());
        let runner = Runner::new(obedient(&census));
        runner.start_with(&parent).await.expect("ready at once");
        runner.restart().await.expect("the parent lives");
        settle().await;
        parent.cancel();
        runner.wait().await;
        assert!(matches!(runner.restart().await, Err(StartError::Cancelled)));
        runner.start().await.expect("this one has no parent");
        runner.restart().await.expect("nor has this one");
        let other = CancellationToken::new();
        runner.start_with(&other).await.expect("another parent");
        settle().await;
        let third = CancellationToken::new();
        runner.start_with(&third).await.expect("and another");
        other.cancel();
        settle().await;
        assert!(runner.is_running(), "that was an earlier parent");
        third.cancel();
        runner.wait().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_parent_that_is_dropped_without_cancel_changes_nothing() {
    within(async {
        let census = Census::new();
        let runner = Runner::new(obedient(&census));
        let parent = CancellationToken::new();
        runner.start_with(&parent).await.expect("ready at once");
        drop(parent);
        settle().await;
        assert!(runner.is_running());
        let grandparent = CancellationToken::new();
        runner
            .start_with(&grandparent.child_token())
            .await
            .expect("ready at once");
        settle().await;
        assert!(runner.is_running());
        grandparent.cancel();
        runner.wait().await;
        census.assert_settled();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_service_is_the_parent_of_another() {
    within(async {
        let census = Census::new();
        let inner = Runner::new(obedient(&census));
        let child = inner.clone();
        let outer = Runner::new(service_fn(move |cx: Context| {
            let child = child.clone();
            async move {
                child.start_with(&cx.token()).await.expect("ready at once");
                cx.cancelled().await;
                child.wait().await;
            }
        }));
        for _ in 0..100 {
            outer.start().await.expect("ready at once");
            until(|| inner.is_running()).await;
            outer.stop().await.expect("both obey");
            assert_eq!(inner.state(), State::Stopped);
        }
        census.assert_settled();
        assert_eq!(inner.status().cycles(), 100);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_service_may_be_its_own_parent() {
    within(async {
        let (census, token) = (Census::new(), CancellationToken::new());
        let runner = Runner::new(obedient(&census));
        runner.start_with(&token).await.expect("ready at once");
        runner
            .start_with(&token)
            .await
            .expect("the same parent again");
        settle().await;
        token.cancel();
        tokio::time::timeout(Duration::from_secs(1), runner.wait())
            .await
            .expect("it stops");
        census.assert_settled();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_is_refused_does_not_make_the_stop_fail() {
    within(async {
        let parent = CancellationToken::new();
        let runner = Runner::new(service_fn(async |cx: Context| {
            cx.cancelled().await;
            cx.request_restart();
        }));
        runner.start_with(&parent).await.expect("ready at once");
        settle().await;
        let stop = async {
            parent.cancel();
            runner.stop().await.expect("nothing has failed");
        };
        let (exit, ()) = tokio::join!(runner.wait(), stop);
        assert_eq!(exit, Exit::Stopped);
        let refused = runner.errors_last().expect("it is recorded");
        assert!(refused.error().is::<StartError>(), "{refused:?}");
        assert_eq!(runner.status().cycles(), 1);
    })
    .await;
}
