//! The count of handles: the last one stops the service, and only the last one; promise 5.

use loom::thread;

use super::{model, started};
use crate::report::state::State;
use crate::service::context::Context;
use crate::service::func::service_fn;

#[test]
fn a_handle_that_is_had_back_keeps_the_service_running() {
    model(None, || {
        let runner = started(service_fn(async |cx: Context| cx.cancelled_owned().await));
        let weak = runner.downgrade();
        let drops = thread::spawn(move || drop(runner));
        let upgraded = weak.upgrade();
        drops.join().unwrap();
        match upgraded {
            Some(runner) => assert_eq!(runner.state(), State::Running),
            None => assert!(weak.upgrade().is_none()),
        }
        // That the driver ends is what the model waits for.
    });
}

#[test]
fn the_last_of_two_handles_stops_the_service() {
    model(None, || {
        let runner = started(service_fn(async |cx: Context| cx.cancelled_owned().await));
        let watch = runner.subscribe();
        let other = runner.clone();
        let drops = thread::spawn(move || drop(other.clone()));
        drop(runner);
        drops.join().unwrap();
        assert_ne!(watch.get(), State::Running);
    });
}
