//! User code that is called once all parts of an attempt have ended is under a deadline.

use std::sync::Arc;
use std::time::Duration;

use startstop_core::{
    Cause, Context, Exit, RestartPolicy, Runner, Settings, Slot, State, StopError, service_fn_with,
};

use tokio::sync::Notify;

use crate::support::{Latch, many_threads, watched};

const SOON: Duration = Duration::from_millis(60);

fn soon() -> Settings {
    Settings::new().stop_timeout(SOON).abort_timeout(SOON)
}

#[test]
fn a_predicate_that_blocks_by_itself_is_given_up_and_has_no_say_any_more() {
    watched(|| {
        let latch = Arc::new(Latch::default());
        let asks = Arc::clone(&latch);
        let policy = RestartPolicy::on_failure().retry_if(move |_| {
            asks.block();
            true
        });
        let service = service_fn_with((), async |_, _| Err::<(), _>("lost"));
        let runner = Runner::with_settings(service, soon().restart(policy));
        many_threads().block_on(async {
            runner.start().await.expect("ready at once");
            let refused = loop {
                if runner.errors_list().len() == 3 {
                    break runner.restart().await;
                }
                tokio::task::yield_now().await;
            };
            assert!(refused.is_err(), "nothing is started beside it");
            let causes: Vec<_> = runner
                .errors_list()
                .iter()
                .map(startstop_core::Failure::cause)
                .collect();
            assert_eq!(causes, [Cause::Error, Cause::TimedOut, Cause::Unresponsive]);
            assert_eq!(runner.state(), State::Stopping);
            latch.release();
            runner.wait_for(State::Stopped).await;
            assert_eq!(runner.status().restarts(), 0);
        });
    });
}

#[test]
fn an_abort_while_a_value_is_dropped_waits_for_it_no_longer_than_allowed() {
    struct Value(Arc<Latch>, Arc<Notify>);
    impl Drop for Value {
        fn drop(&mut self) {
            self.1.notify_one();
            self.0.block();
        }
    }
    watched(|| {
        let (latch, dropping) = <(Arc<Latch>, Arc<Notify>)>::default();
        let state = (Arc::clone(&latch), Arc::clone(&dropping), Slot::new());
        let service = service_fn_with(state, async |state, cx: Context| {
            state
                .2
                .fill(&cx, Value(Arc::clone(&state.0), Arc::clone(&state.1)));
        });
        let settings = soon().stop_timeout(Duration::MAX);
        let runner = Runner::with_settings(service, settings);
        many_threads().block_on(async {
            runner.start().await.expect("ready at once");
            dropping.notified().await;
            let stopped = runner.stop_within(Duration::ZERO).await;
            assert!(
                matches!(stopped, Err(StopError::Unresponsive(_))),
                "{stopped:?}"
            );
            latch.release();
            runner.wait_for(State::Stopped).await;
            assert_eq!(runner.wait().await, Exit::Aborted);
        });
    });
}
