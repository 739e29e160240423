//! The runtime ends under a whole: it may drop a part first, which is no failure of the whole.

use std::mem::forget;
use std::panic::resume_unwind;

use startstop_core::{Context, Exit, Group, Member, OnFailure, Runner, Service, service_fn};

use crate::support::{full_cycle, many_threads, one_thread, park_on, watched};

/// Often, since it is up to the threads of the runtime what is dropped first.
fn ends_aborted<S: Service>(make: impl Fn() -> Runner<S>) {
    for _ in 0..50 {
        let runner = make();
        let runtime = many_threads();
        runtime
            .block_on(runner.start())
            .expect("all are ready at once");
        drop(runtime);
        assert_eq!(
            park_on(runner.wait()),
            Exit::Aborted,
            "{:?}",
            runner.errors_list()
        );
        one_thread().block_on(full_cycle(&runner));
    }
}

fn idle() -> impl Service {
    service_fn(|cx: Context| async move { cx.cancelled().await })
}

/// Panics when it is dropped, unless it was told to end.
struct Bomb;

impl Bomb {
    async fn wait(self, cx: Context) {
        cx.cancelled().await;
        forget(self);
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        // A panic without the hook, whose printing would take too long.
        resume_unwind(Box::new("it was not told to end"));
    }
}

fn explosive() -> impl Service {
    service_fn(|cx: Context| async move {
        cx.spawn(Bomb.wait(cx.clone()));
        Bomb.wait(cx).await;
    })
}

fn group(on_failure: OnFailure) -> Group {
    let member = || Member::new(idle()).on_failure(on_failure);
    Group::builder("app")
        .with("first", member())
        .then("second", member())
        .build()
        .expect("fine")
}

#[test]
fn the_runtime_may_end_under_a_group() {
    watched(|| ends_aborted(|| Runner::new(group(OnFailure::StopGroup))));
}

#[test]
fn the_runtime_may_end_under_a_group_that_restarts_its_members() {
    watched(|| ends_aborted(|| Runner::new(group(OnFailure::RestartAll))));
}

#[test]
fn the_runtime_may_end_under_a_runner_in_a_runner() {
    watched(|| ends_aborted(|| Runner::new(Runner::new(idle()))));
}

#[test]
fn the_runtime_may_end_under_a_whole_whose_part_panics_when_it_is_dropped() {
    let group = || {
        Group::builder("app")
            .with("a", explosive())
            .with("b", explosive())
    };
    watched(move || ends_aborted(|| Runner::new(group().build().expect("fine"))));
    watched(|| ends_aborted(|| Runner::new(Runner::new(explosive()))));
}
