//! Promise 3: a stop is never lost, also while the driver enters the attempt; and `shutdown` is called
//! once, invariant 4 of `lifecycle`, by whoever may: the driver, or a task if the driver is inside `run`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::thread;

use super::{asked, model, runner, started, started_with_context};
use crate::report::error::{StartError, StopError};
use crate::report::state::{Exit, State};
use crate::runner::Runner;
use crate::service::context::Context;
use crate::service::func::service_fn;
use crate::service::slot::Slot;
use crate::sync::{CancellationToken, block_on};

#[test]
fn a_stop_right_after_the_start_is_not_lost() {
    model(Some(3), || {
        let runner = runner(service_fn(async |cx: Context| cx.cancelled_owned().await));
        runner.request_start();
        let other = runner.clone();
        let stops = thread::spawn(move || {
            block_on(other.stop()).expect("it obeys");
            assert_eq!(other.state(), State::Stopped);
        });
        stops.join().unwrap();
        assert_eq!(block_on(runner.wait()), Exit::Stopped);
    });
}

#[test]
fn a_start_that_a_stop_overtakes_is_answered() {
    model(Some(3), || {
        let runner = runner(service_fn(async |cx: Context| cx.cancelled_owned().await));
        let other = runner.clone();
        let starts = thread::spawn(move || block_on(other.start()));
        block_on(runner.stop()).expect("it obeys");
        match starts.join().unwrap() {
            Ok(()) | Err(StartError::Stopped) => {}
            Err(other) => panic!("{other:?}"),
        }
        block_on(runner.stop()).expect("it obeys");
        assert_eq!(runner.state(), State::Stopped);
    });
}

#[test]
fn two_stops_are_answered_alike() {
    model(Some(3), || {
        let runner = Arc::new(started(service_fn(async |cx: Context| {
            cx.cancelled_owned().await;
            Err::<(), _>("broken")
        })));
        loom::stop_exploring();
        let stop = |runner: Arc<Runner<_>>| asked(Box::pin(async move { runner.stop().await }));
        let (first, second) = (stop(Arc::clone(&runner)), stop(Arc::clone(&runner)));
        loom::explore();
        let answer = thread::spawn(move || block_on(first));
        let answers = [block_on(second), answer.join().unwrap()];
        let failures = answers.map(|answer| match answer {
            Err(StopError::Failed(failure)) => failure,
            other => panic!("{other:?}"),
        });
        assert!(failures[0].is_same(&failures[1]));
    });
}

#[test]
fn a_parent_that_ends_while_a_restart_is_made_stops_what_comes_of_it() {
    model(Some(2), || {
        let runner = runner(service_fn(async |cx: Context| cx.cancelled_owned().await));
        let parent = CancellationToken::new();
        loom::stop_exploring();
        block_on(runner.start_with(&parent)).expect("ready at once");
        block_on(runner.stop()).expect("it obeys");
        loom::explore();
        let ends = thread::spawn(move || parent.cancel());
        runner.request_restart();
        ends.join().unwrap();
        block_on(runner.wait());
        assert_eq!(runner.state(), State::Stopped);
    });
}

#[test]
fn who_waits_for_the_cancellation_on_another_thread_is_woken() {
    model(Some(3), || {
        let (runner, cx) = started_with_context();
        let waits = thread::spawn(move || block_on(cx.cancelled()));
        block_on(runner.stop()).expect("it obeys");
        waits.join().unwrap();
    });
}

#[test]
fn shutdown_is_called_once_and_lets_run_go() {
    model(Some(3), || {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let (gate, cx) = (Slot::new(), Context::detached(CancellationToken::new()));
        let (opens, inner) = (gate.clone(), cx.clone());
        let service = service_fn(move |_| {
            let (gate, cx) = (gate.clone(), cx.clone());
            async move { drop(gate.wait(&cx).await) }
        });
        let runner = started(service.on_shutdown(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            opens.fill(&inner, ());
            std::future::ready(())
        }));
        block_on(runner.stop()).expect("it obeys");
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    });
}
