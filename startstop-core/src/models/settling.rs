//! Promise 2: whoever sees `Stopped` sees why. A failure is in the history before the state settles, and
//! the state settles before anyone is woken: invariant 1 of `engine` and invariant 2 of `atomic_state`.

use loom::thread;

use super::{model, started};
use crate::report::panic::BoxError;
use crate::report::state::{Exit, State};
use crate::runner::Runner;
use crate::service::Service;
use crate::service::context::Context;
use crate::service::func::service_fn;
use crate::sync::block_on;

/// Fails once it is told to stop.
fn failing() -> impl Service<Error = BoxError> {
    service_fn(async |cx: Context| {
        cx.cancelled_owned().await;
        Err::<(), _>("broken")
    })
}

fn assert_sees_why<S: Service>(runner: &Runner<S>) {
    assert!(runner.errors_last().is_some(), "the failure can be read");
    assert_eq!(runner.history().entries().len(), 1);
}

#[test]
fn who_reads_stopped_sees_why() {
    model(Some(3), || {
        let runner = started(failing());
        let reader = runner.clone();
        let reads = thread::spawn(move || {
            if reader.state() == State::Stopped {
                assert_sees_why(&reader);
            }
        });
        block_on(runner.stop()).expect_err("it fails");
        reads.join().unwrap();
    });
}

#[test]
fn who_is_woken_sees_the_state_and_why() {
    model(None, || {
        let runner = started(failing());
        let waiter = runner.clone();
        let waits = thread::spawn(move || {
            assert!(matches!(block_on(waiter.wait()), Exit::Failed));
            assert_eq!(waiter.state(), State::Stopped);
            assert_sees_why(&waiter);
        });
        runner.request_stop();
        waits.join().unwrap();
    });
}
