//! Promise 4: `start`, `stop`, `restart` and `wait` may be dropped; once polled, the operation goes on to its end.

use startstop_core::{Runner, State};

use crate::support::{Census, full_cycle, obedient, on_each_flavour, poll_once, settle, within};

#[test]
fn dropping_a_future_breaks_nothing() {
    on_each_flavour(|| {
        within(async {
            let census = Census::new();
            let runner = Runner::new(obedient(&census));
            drop(poll_once(Box::pin(runner.start())).await);
            runner.wait_for(State::Running).await;
            drop(poll_once(Box::pin(runner.restart())).await);
            crate::support::until(|| runner.status().cycles() == 2).await;
            runner.wait_for(State::Running).await;
            let _ = poll_once(Box::pin(runner.wait())).await;
            drop(poll_once(Box::pin(runner.stop())).await);
            runner.wait_for(State::Stopped).await;
            census.assert_settled();
            full_cycle(&runner).await;
        })
    });
}

#[test]
fn dropping_a_future_breaks_nothing_before_its_first_poll() {
    on_each_flavour(|| {
        within(async {
            let census = Census::new();
            let runner = Runner::new(obedient(&census));
            drop(runner.start());
            settle().await;
            assert_eq!(
                (runner.state(), runner.status().cycles()),
                (State::Stopped, 0)
            );
            runner.start().await.expect("ready at once");
            drop((runner.stop(), runner.restart(), runner.wait()));
            settle().await;
            assert!(runner.is_running());
            full_cycle(&runner).await;
        })
    });
}
