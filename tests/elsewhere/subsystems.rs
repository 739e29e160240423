//! The subsystems of `tokio-graceful-shutdown`.

use startstop_core::{BoxError, Context, Exit, Group, Member, OnFailure, Runner, service_fn};

use crate::support::groups::{Act, Journal, built, on, started};
use crate::support::{idle, within};

#[tokio::test(start_paused = true)]
async fn a_subsystem_that_fails_takes_all_down_unless_its_parent_catches_that() {
    let journal = Journal::new();
    let nested = |name: &str| {
        let child = journal.probe(&format!("{name} child"));
        Group::builder(name.to_owned())
            .with("child", child)
            .build()
            .unwrap()
    };
    let caught = Member::new(nested("caught")).on_failure(OnFailure::Ignore);
    let top = started(
        Group::builder("top")
            .with("caught", caught)
            .with("forwarded", nested("forwarded")),
    )
    .await;
    journal.tell("caught child", Act::Fail);
    idle().await;
    assert!(top.is_running());
    journal.tell("forwarded child", Act::Fail);
    assert_eq!(within(top.wait()).await, Exit::Failed);
}

/// `NestedSubsystem::initiate_shutdown` and `join`.
#[tokio::test(start_paused = true)]
async fn a_part_of_the_tree_is_stopped_alone_and_waited_for() {
    let journal = Journal::new();
    let part = Group::builder("part")
        .with("a", journal.probe("a"))
        .then("b", journal.probe("b"));
    let top = started(
        Group::builder("top")
            .with("part", part.build().unwrap())
            .with("other", on(OnFailure::StopGroup, journal.probe("other"))),
    )
    .await;
    journal.take();
    let part = top.find("top/part").unwrap();
    part.request_stop();
    assert_eq!(within(part.wait()).await, Exit::Stopped);
    assert_eq!(journal.moves(), ["-b", "-a"]);
    assert!(top.is_running());
    within(top.stop()).await.unwrap();
}

/// `SubsystemHandle::start` in a subsystem that runs: it lives no longer than its parent.
#[tokio::test(start_paused = true)]
async fn a_subsystem_that_another_starts_ends_with_it() {
    let journal = Journal::new();
    let child = Runner::new(journal.probe("child"));
    let attached = child.clone();
    let parent = service_fn(move |cx: Context| {
        let child = attached.clone();
        async move {
            cx.attach("child", &child)?;
            child.start().await?;
            cx.cancelled().await;
            Ok::<_, BoxError>(())
        }
    });
    let top = built(Group::builder("top").with("parent", parent));
    within(top.start()).await.unwrap();
    journal.until("+child").await;
    assert!(top.find("top/parent/child").unwrap().is_running());
    within(top.stop()).await.unwrap();
    assert_eq!(within(child.wait()).await, Exit::Stopped);
}
