//! Promise 1 and invariant 3 of `engine`: a request has its effect under the lock, also against the driver
//! that settles, or leaves, at that very moment. Every start is answered, and every stop comes through.

use loom::thread;

use super::{model, runner, started};
use crate::report::error::StartError;
use crate::report::state::{Exit, State};
use crate::service::context::Context;
use crate::service::func::{once, service_fn};
use crate::sync::{CancellationToken, block_on};

#[test]
fn a_start_against_the_end_of_a_job_is_answered() {
    model(None, || {
        let runner = runner(once(|_| std::future::ready(())));
        runner.request_start();
        block_on(runner.start()).expect("it completes");
        assert_eq!(block_on(runner.wait()), Exit::Completed);
        // It has joined the first cycle, or come after it.
        assert!((1..=2).contains(&runner.status().cycles()));
    });
}

#[test]
fn a_start_after_a_stop_begins_a_cycle() {
    model(Some(3), || {
        let runner = started(service_fn(async |cx: Context| cx.cancelled_owned().await));
        runner.request_stop();
        block_on(runner.start()).expect("it came after the stop");
        assert_eq!(
            (runner.state(), runner.status().cycles()),
            (State::Running, 2)
        );
        block_on(runner.stop()).expect("it obeys");
    });
}

#[test]
fn a_parent_that_is_cancelled_meanwhile_is_a_stop() {
    model(Some(2), || {
        let runner = runner(service_fn(async |cx: Context| cx.cancelled_owned().await));
        let parent = CancellationToken::new();
        let cancelled = parent.clone();
        let cancels = thread::spawn(move || cancelled.cancel());
        match block_on(runner.start_with(&parent)) {
            Ok(()) | Err(StartError::Stopped | StartError::Cancelled) => {}
            Err(other) => panic!("{other:?}"),
        }
        assert_eq!(block_on(runner.wait()), Exit::Stopped);
        assert_eq!(runner.state(), State::Stopped);
        cancels.join().unwrap();
    });
}
