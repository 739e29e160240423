//! `wait`: until the cycle that is current now has ended. `wait_for`: until it is, or since the call has been, there.

use std::sync::Arc;

use startstop_core::{
    Exit, Runner, Settings, StartStop, State, StopError, once, service_fn, service_fn_with,
};
use tokio::sync::Notify;

use crate::support::{Census, deaf, failing, obedient, poll_once, settle, within};

#[tokio::test(start_paused = true)]
async fn wait_tells_how_the_most_recent_cycle_ended() {
    within(async {
        let runner = Runner::new(failing("broken"));
        assert_eq!(runner.wait().await, Exit::Stopped, "it never ran");
        runner.request_start();
        assert_eq!(runner.wait().await, Exit::Failed);
        assert_eq!(runner.wait().await, Exit::Failed);
        let runner = Runner::new(service_fn(|_| async {}));
        runner.request_start();
        assert_eq!(runner.wait().await, Exit::Completed);
        let runner = Runner::new(deaf());
        runner.start().await.expect("ready at once");
        settle().await;
        assert!(matches!(runner.stop().await, Err(StopError::TimedOut)));
        assert_eq!(runner.wait().await, Exit::Aborted);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn wait_is_for_the_cycle_that_is_current_at_the_call() {
    within(async {
        let census = Census::new();
        let runner = Runner::new(obedient(&census));
        let early = runner.wait();
        runner.start().await.expect("ready at once");
        assert_eq!(early.await, Exit::Stopped, "nothing was current");
        let first = runner.wait();
        let erased: &dyn StartStop = &runner;
        let second = erased.wait();
        runner.restart().await.expect("ready at once");
        assert_eq!((first.await, second.await), (Exit::Stopped, Exit::Stopped));
        assert!(runner.is_running(), "the second cycle is another one");
        let mut third = Box::pin(runner.wait());
        assert!(poll_once(&mut third).await.is_none());
        runner.stop().await.expect("an obedient service stops");
        assert_eq!(third.await, Exit::Stopped);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn wait_keeps_the_answer_of_its_own_cycle() {
    within(async {
        let runner = Runner::new(service_fn(|cx: startstop_core::Context| async move {
            if cx.cycle() == 1 {
                cx.cancelled().await;
                return Err("broken");
            }
            Ok(())
        }));
        runner.start().await.expect("ready at once");
        settle().await;
        let first = runner.wait();
        runner.stop().await.expect_err("it fails");
        runner.start().await.expect("it completes");
        assert_eq!(runner.wait().await, Exit::Completed);
        assert_eq!(first.await, Exit::Failed);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn wait_for_remembers_what_has_been_since_the_call() {
    within(async {
        let census = Census::new();
        let runner = Runner::new(obedient(&census));
        let erased: Arc<dyn StartStop> = Arc::new(runner.clone());
        let (running, stopping) = (
            runner.wait_for(State::Running),
            erased.wait_for(State::Stopping),
        );
        let mut backoff = Box::pin(runner.wait_for(State::Backoff));
        runner.wait_for(State::Stopped).await;
        runner.start().await.expect("ready at once");
        settle().await;
        runner.stop().await.expect("an obedient service stops");
        running.await;
        stopping.await;
        assert!(poll_once(&mut backoff).await.is_none());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn wait_for_does_not_remember_what_was_before_the_call() {
    within(async {
        let census = Census::new();
        let runner = Runner::with_settings(obedient(&census), Settings::new());
        runner.start().await.expect("ready at once");
        runner.stop().await.expect("an obedient service stops");
        let mut running = Box::pin(runner.wait_for(State::Running));
        assert!(poll_once(&mut running).await.is_none());
        runner.start().await.expect("ready at once");
        running.await;
        runner.stop().await.expect("an obedient service stops");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_hundred_wait_for_the_same_end() {
    within(async {
        let (runner, _) = super::running().await;
        let waiters: Vec<_> = (0..100)
            .map(|_| {
                let runner = runner.clone();
                tokio::spawn(async move { (runner.wait().await, runner.state()) })
            })
            .collect();
        settle().await;
        runner.stop().await.expect("an obedient service stops");
        for waiter in waiters {
            assert_eq!(
                waiter.await.expect("no panic"),
                (Exit::Stopped, State::Stopped)
            );
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn run_until_signal_does_not_wait_for_what_others_start_at_the_end() {
    within(async {
        let done = Arc::new(Notify::new());
        let runner = Runner::new(service_fn_with(Arc::clone(&done), async |done, cx| {
            cx.run_until_cancelled(done.notified()).await;
        }));
        runner.start().await.expect("ready at once");
        let again = runner.clone();
        let again = tokio::spawn(async move {
            again.wait().await;
            again.start().await
        });
        let ends = async {
            settle().await;
            done.notify_one();
        };
        let (exit, ()) = tokio::join!(runner.run_until_signal(), ends);
        assert_eq!(exit.expect("it runs"), Exit::Completed);
        again.await.expect("no panic").expect("it starts again");
        runner.stop().await.expect("it obeys");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn run_until_signal_returns_at_once_for_a_job_that_is_done() {
    let runner = Runner::new(once(async |_| ()));
    let exit = within(runner.run_until_signal())
        .await
        .expect("it does its job");
    assert_eq!(exit, Exit::Completed);
}
