//! Every public future dropped after any of its polls: the operation goes on, and a full cycle works afterwards.

mod of_a_context;
mod of_nested_values;
mod unpolled;

use std::time::Duration;

use startstop_core::{Context, Readiness, Runner, Service, Settings, State, service_fn};
use tokio_util::sync::CancellationToken;

use crate::support::{full_cycle, on_each_flavour, poll_up_to, settle, until, within};

const MOST_POLLS: usize = 40;

/// A service whose every step takes some turns of the runtime.
fn slow() -> impl Service {
    let run = |cx: Context| async move {
        turns(3).await;
        cx.ready();
        cx.cancelled().await;
        turns(3).await;
    };
    service_fn(run).on_shutdown(|_| turns(4))
}

async fn turns(count: usize) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

/// The runner in the state from which the future is to be polled.
async fn brought_to(state: State) -> Runner<impl Service> {
    let settings = Settings::new().readiness(Readiness::Explicit);
    let runner = Runner::with_settings(slow(), settings);
    if state != State::Stopped {
        runner.request_start();
    }
    if matches!(state, State::Running | State::Stopping) {
        runner.wait_for(State::Running).await;
    }
    if state == State::Stopping {
        settle().await;
        runner.request_stop();
    }
    runner
}

/// Drops the future of each state after each of its polls, sees it to `end`, and runs a full cycle.
macro_rules! drop_at_every_poll {
    ($name:ident, $end:expr, |$runner:ident| $future:expr) => {
        #[test]
        fn $name() {
            on_each_flavour(|| {
                within(async {
                    for state in [
                        State::Stopped,
                        State::Starting,
                        State::Running,
                        State::Stopping,
                    ] {
                        for polls in 1..=MOST_POLLS {
                            let $runner = brought_to(state).await;
                            let completed = poll_up_to($future, polls).await.is_some();
                            let end: Option<State> = $end;
                            if let Some(end) = end {
                                until(|| $runner.state() == end).await;
                            }
                            full_cycle(&$runner).await;
                            if completed {
                                break;
                            }
                        }
                    }
                })
            });
        }
    };
}

drop_at_every_poll!(
    start_may_be_dropped_at_any_poll,
    Some(State::Running),
    |runner| runner.start()
);
drop_at_every_poll!(
    ensure_running_may_be_dropped_at_any_poll,
    Some(State::Running),
    |runner| runner.ensure_running()
);
drop_at_every_poll!(
    start_with_may_be_dropped_at_any_poll,
    Some(State::Running),
    |runner| runner.start_with(&CancellationToken::new())
);
drop_at_every_poll!(
    restart_may_be_dropped_at_any_poll,
    Some(State::Running),
    |runner| runner.restart()
);
drop_at_every_poll!(
    stop_may_be_dropped_at_any_poll,
    Some(State::Stopped),
    |runner| runner.stop()
);
drop_at_every_poll!(
    stop_within_may_be_dropped_at_any_poll,
    Some(State::Stopped),
    |runner| runner.stop_within(Duration::from_secs(10))
);
drop_at_every_poll!(wait_may_be_dropped_at_any_poll, None, |runner| runner
    .wait());
drop_at_every_poll!(wait_for_may_be_dropped_at_any_poll, None, |runner| runner
    .wait_for(State::Backoff));
drop_at_every_poll!(changed_may_be_dropped_at_any_poll, None, |runner| {
    let mut states = runner.subscribe();
    async move { states.changed().await }
});

#[test]
fn a_change_is_not_lost_with_a_dropped_future() {
    on_each_flavour(|| {
        within(async {
            let runner = brought_to(State::Stopped).await;
            let mut states = runner.subscribe();
            for _ in 0..100 {
                let _ = poll_up_to(states.changed(), 1).await;
                runner.start().await.expect("it becomes ready");
                assert_eq!(states.changed().await, Some(State::Running));
                let _ = poll_up_to(states.changed(), 1).await;
                runner.stop().await.expect("an obedient service stops");
                assert_eq!(states.changed().await, Some(State::Stopped));
            }
        })
    });
}
