//! Promise 8 and invariant 1 of `atomic_state`: what is read without a lock never goes back and is never torn.

use loom::thread;

use super::{model, started};
use crate::engine::atomic_state::{AtomicState, StateSnapshot};
use crate::report::state::State;
use crate::service::context::Context;
use crate::service::func::service_fn;
use crate::sync::block_on;

const LIFE: [State; 4] = [
    State::Starting,
    State::Running,
    State::Stopping,
    State::Stopped,
];

fn step(state: State) -> usize {
    LIFE.iter()
        .position(|other| *other == state)
        .expect("it is one of them")
}

#[test]
fn a_reading_is_whole() {
    model(None, || {
        let atomic_state = std::sync::Arc::new(AtomicState::new());
        let read = std::sync::Arc::clone(&atomic_state);
        atomic_state.write(StateSnapshot::new(State::Starting, 0));
        let reads = thread::spawn(move || {
            let readings = [read.read(), read.read()];
            for reading in readings {
                assert_eq!(reading.since(), step(reading.state()) as u64);
                assert_eq!(reading.is_ready(), reading.state() == State::Running);
            }
            assert!(readings[0].since() <= readings[1].since());
        });
        for (since, state) in (0..).zip(LIFE).skip(1) {
            let runs = state == State::Running;
            let snapshot = StateSnapshot::new(state, since);
            atomic_state.write(if runs { snapshot.ready() } else { snapshot });
        }
        reads.join().unwrap();
    });
}

#[test]
fn a_state_never_goes_back() {
    model(Some(2), || {
        let runner = started(service_fn(async |cx: Context| {
            let (reports, cx) = (cx.clone(), cx);
            thread::spawn(move || reports.report("by the way"));
            cx.cancelled_owned().await;
        }));
        let reader = runner.clone();
        let reads = thread::spawn(move || {
            let states = [reader.state(), reader.state(), reader.state()];
            assert!(states.map(step).is_sorted(), "{states:?}");
        });
        block_on(runner.stop()).expect("it obeys");
        assert_eq!(runner.state(), State::Stopped);
        reads.join().unwrap();
    });
}
