//! A caller that has seen `Stopped` and drops the last runner finds the value of the service gone.

use std::sync::Arc;

use startstop_core::{BoxError, Context, Group, Runner, Service, State, service_fn};

use crate::support::{alone, many_threads, one_thread, park_on, watched};

const ROUNDS: usize = 1_000;

/// Holds something that others may want to have, such as a port.
struct Holder {
    _held: Arc<()>,
    with: With,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum With {
    Nothing,
    Tasks,
    Shutdown,
}

impl Service for Holder {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        if self.with == With::Tasks {
            for _ in 0..2 {
                let inner = cx.clone();
                cx.spawn(async move { inner.cancelled().await });
            }
        }
        cx.cancelled().await;
        Ok(())
    }

    async fn shutdown(&self, _: Context) -> Result<(), BoxError> {
        if self.with == With::Shutdown {
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

/// How often the value was still there.
fn left(with: With, round: fn(Holder)) -> usize {
    let mut left = 0;
    for _ in 0..ROUNDS {
        let held = Arc::new(());
        round(Holder {
            _held: Arc::clone(&held),
            with,
        });
        left += usize::from(Arc::strong_count(&held) > 1);
    }
    left
}

fn in_a_runner(holder: Holder) {
    let runner = Runner::new(holder);
    park_on(runner.start()).expect("ready at once");
    park_on(runner.stop()).expect("it obeys");
}

fn seen_by_its_state(holder: Holder) {
    let runner = Runner::new(holder);
    park_on(runner.start()).expect("ready at once");
    runner.request_stop();
    while runner.state() != State::Stopped {
        std::hint::spin_loop();
    }
}

/// Somebody looks at its state all the time, without a handle.
fn seen_by_a_watch(holder: Holder) {
    let runner = Runner::new(holder);
    let mut watch = runner.subscribe();
    std::thread::spawn(move || {
        let looks = watch.clone();
        while park_on(watch.changed()).is_some() {
            std::hint::black_box(looks.get());
        }
    });
    park_on(runner.start()).expect("ready at once");
    park_on(runner.stop()).expect("it obeys");
}

fn in_a_group(holder: Holder) {
    let group = Group::builder("app")
        .with("holder", holder)
        .build()
        .expect("one member");
    in_a_group_of(group);
}

fn in_a_group_of(group: Group) {
    let app = Runner::new(group);
    park_on(app.start()).expect("ready at once");
    park_on(app.stop()).expect("it obeys");
}

#[test]
fn the_value_is_gone_with_the_last_runner() {
    watched(|| {
        for with in [With::Nothing, With::Tasks, With::Shutdown] {
            for round in [in_a_runner, seen_by_its_state, seen_by_a_watch, in_a_group] {
                let runtime = many_threads();
                let entered = runtime.enter();
                assert_eq!(left(with, round), 0, "of {ROUNDS}, with {with:?}");
                drop(entered);
            }
        }
    });
}

#[test]
fn the_value_is_gone_with_the_last_runner_on_a_single_thread() {
    watched(|| {
        one_thread().block_on(async {
            for with in [With::Nothing, With::Tasks, With::Shutdown] {
                let held = Arc::new(());
                let runner = Runner::new(Holder {
                    _held: Arc::clone(&held),
                    with,
                });
                runner.start().await.expect("ready at once");
                runner.stop().await.expect("it obeys");
                drop(runner);
                assert_eq!(Arc::strong_count(&held), 1, "with {with:?}");
            }
        });
    });
}

#[test]
fn a_runner_that_has_stopped_lets_go_of_runtimes_that_have_ended() {
    if cfg!(target_os = "linux") {
        alone(
            "deadlines::let_go::a_runner_that_has_stopped_lets_go_of_runtimes_that_have_ended",
            counts_descriptors,
        );
    }
}

fn counts_descriptors() {
    let descriptors = || {
        std::fs::read_dir("/proc/self/fd")
            .expect("it is there")
            .count()
    };
    let (before, mut kept) = (descriptors(), Vec::new());
    for _ in 0..50 {
        let runtime = one_thread();
        let runner = Runner::new(service_fn(async |cx: Context| cx.cancelled().await));
        runtime.block_on(async {
            runner.start().await.expect("ready at once");
            runner.stop().await.expect("it obeys");
        });
        drop(runtime);
        kept.push(runner);
    }
    let after = descriptors();
    assert!(
        after < before + 10,
        "{before} descriptors before and {after} after {}",
        kept.len()
    );
}
