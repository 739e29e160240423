//! Trees that are deeper than the stack, each in a process of its own: an overflow would end this one.

use std::future::pending;
use std::time::Duration;

use startstop_core::{
    BoxService, Cause, Context, Exit, Group, Runner, Service, Settings, State, service_fn,
};

use crate::support::{alone, many_threads, one_thread, park_on};

const LEVELS: usize = 50_000;

/// Fewer, where each level starts and ends a service.
const LIVE_LEVELS: usize = 10_000;

fn leaf() -> BoxService {
    service_fn(async |cx: Context| cx.cancelled().await).boxed()
}

fn nested(levels: usize) -> Runner<BoxService> {
    let whole = |part: Runner<BoxService>, _| Runner::new(part.boxed());
    (0..levels).fold(Runner::new(leaf()), whole)
}

fn grouped(levels: usize) -> Runner<Group> {
    let group = |part| {
        Group::builder("app")
            .with("part", part)
            .build()
            .expect("one member")
    };
    let whole = |part: Runner<Group>, _| Runner::new(group(part));
    let innermost = Group::builder("app")
        .with("leaf", leaf())
        .build()
        .expect("one member");
    (0..levels).fold(Runner::new(innermost), whole)
}

#[test]
fn a_deep_tree_is_dropped() {
    alone("deadlines::deep::a_deep_tree_is_dropped", drops_a_deep_tree);
}

fn drops_a_deep_tree() {
    drop(nested(LEVELS));
    drop(grouped(LEVELS));
}

#[test]
fn a_deep_tree_ends_with_its_runtime() {
    alone(
        "deadlines::deep::a_deep_tree_ends_with_its_runtime",
        ends_a_deep_tree,
    );
}

fn ends_a_deep_tree() {
    for runtime in [many_threads(), one_thread()] {
        let runner = nested(LIVE_LEVELS);
        runtime.block_on(runner.start()).expect("all are ready");
        drop(runtime);
        assert_eq!(
            (runner.state(), park_on(runner.wait())),
            (State::Stopped, Exit::Aborted)
        );
    }
    let runtime = many_threads();
    let app = grouped(LIVE_LEVELS);
    runtime.block_on(app.start()).expect("all are ready");
    drop(runtime);
    assert_eq!(
        (app.state(), park_on(app.wait())),
        (State::Stopped, Exit::Aborted)
    );
}

#[test]
fn a_part_stuck_deep_in_a_tree_makes_the_top_unresponsive_at_once() {
    alone(
        "deadlines::deep::a_part_stuck_deep_in_a_tree_makes_the_top_unresponsive_at_once",
        is_stuck_in_a_deep_tree,
    );
}

fn is_stuck_in_a_deep_tree() {
    let (opens, gate) = std::sync::mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    let blocks = service_fn(move |_| {
        let _ = gate.lock().expect("no poison").recv();
        pending::<()>()
    });
    let soon = Duration::from_millis(60);
    let settings = Settings::new().stop_timeout(soon).abort_timeout(soon);
    let innermost = Runner::with_settings(blocks.boxed(), settings);
    let whole = |part: Runner<BoxService>, _| Runner::new(part.boxed());
    let runner = (0..LIVE_LEVELS).fold(innermost, whole);
    let runtime = many_threads();
    runtime.block_on(runner.start()).expect("all are ready");
    assert!(runtime.block_on(runner.stop()).is_err());
    assert_eq!(runner.state(), State::Stopping);
    assert_eq!(
        runner.errors_last().map(|failure| failure.cause()),
        Some(Cause::Unresponsive)
    );
    drop(opens);
    park_on(runner.wait_for(State::Stopped));
}
