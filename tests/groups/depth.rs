//! Groups of a thousand levels and more, on a stack of 2 MiB.

use std::sync::Arc;

use startstop_core::{Exit, Group, Runner, Service, State};

use crate::support::groups::{Act, Broken, Journal, aborted, find, stopped};
use crate::support::within;

fn nested(journal: &Journal, levels: usize) -> Group {
    let mut group = Group::builder("leaf")
        .with("a", journal.probe("a"))
        .build()
        .unwrap();
    for _ in 0..levels {
        group = Group::builder("level")
            .with("below", group)
            .build()
            .unwrap();
    }
    group
}

/// On a thread whose stack is as large as those of tokio's workers.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(test)
        .unwrap();
    thread.join().expect("it does not panic");
}

fn paused() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().unwrap()
}

#[test]
fn a_thousand_levels_need_no_stack() {
    on_a_small_stack(|| {
        paused().block_on(async {
            let journal = Journal::new();
            let app = Runner::new(nested(&journal, 1_000));
            within(app.start()).await.unwrap();
            assert_eq!(journal.take(), ["+a"]);
            let status = app.status();
            assert_eq!(status.to_string().lines().count(), 1_002);
            assert_eq!(format!("{status:?}").matches("Status {").count(), 1_002);
            drop(status.clone());
            drop(status);
            app.request_reload();
            stopped(&app).await;
            assert_eq!(journal.moves(), ["-a"]);
            drop(app);
        });
    });
}

#[test]
fn a_thousand_levels_fail_and_are_aborted_without_a_stack() {
    on_a_small_stack(|| {
        paused().block_on(async {
            let journal = Journal::new();
            let app = Runner::new(nested(&journal, 1_000));
            within(app.start()).await.unwrap();
            journal.tell("a", Act::Fail);
            assert_eq!(within(app.wait()).await, Exit::Failed);
            let failure = app.errors_last().unwrap();
            assert_eq!(find::<Broken>(&failure), Some(&Broken("a".into())));
            drop(failure);
            within(app.start()).await.unwrap();
            aborted(&app).await;
            assert_eq!((app.state(), journal.live()), (State::Stopped, 0));
        });
    });
}

#[test]
fn twenty_thousand_levels_are_dropped_without_having_run() {
    on_a_small_stack(|| {
        let journal = Journal::new();
        drop(Runner::new(nested(&journal, 20_000)));
    });
}

#[test]
fn four_thousand_levels_of_shared_groups_are_looked_at_without_a_stack() {
    on_a_small_stack(|| {
        let mut group = Group::builder("leaf").build().unwrap();
        for _ in 0..4_000 {
            group = Group::builder("level")
                .with("below", Arc::new(group).boxed())
                .build()
                .unwrap();
        }
        let status = group.children().remove(0);
        let (mut levels, mut at) = (1, &status);
        while let Some(below) = at.children().first() {
            (levels, at) = (levels + 1, below);
        }
        assert_eq!(levels, 4_000);
    });
}

#[test]
fn a_thousand_levels_are_dropped_while_they_run() {
    on_a_small_stack(|| {
        let journal = Journal::new();
        let runtime = paused();
        let app = Runner::new(nested(&journal, 1_000));
        runtime.block_on(async { within(app.start()).await.unwrap() });
        drop(runtime);
        assert_eq!((app.state(), journal.live()), (State::Stopped, 0));
    });
}
