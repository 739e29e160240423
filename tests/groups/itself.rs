//! Things that cannot be members: the group itself, what it is a part of, and a service without a valid name.

use std::sync::Arc;

use startstop_core::{Group, GroupError, Runner, Service};

use crate::support::groups::{Journal, one, stopped};
use crate::support::{idle, within};

fn path(result: Result<(), GroupError>) -> Vec<String> {
    match result {
        Err(GroupError::Cycle { path }) => path,
        other => panic!("it is refused: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_is_no_member_of_itself() {
    let journal = Journal::new();
    let group = Group::builder("app")
        .with("a", journal.probe("a"))
        .build()
        .unwrap();
    assert_eq!(path(group.insert("me", group.clone()).await), ["me", "me"]);
    assert_eq!(
        path(group.insert("me", group.clone().boxed()).await),
        ["me", "me"]
    );
    assert_eq!(group.status().children().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_runner_is_no_member_of_its_own_group() {
    let journal = Journal::new();
    let app = one(&journal).await;
    assert_eq!(
        path(within(app.service().insert("me", app.clone())).await),
        ["me", "me"]
    );
    assert_eq!(app.service().members(), ["a"]);
    stopped(&app).await;
}

/// Before its first start as well, and behind whatever the group is wrapped in.
#[tokio::test(start_paused = true)]
async fn a_runner_of_a_wrapped_group_is_no_member_of_it() {
    let journal = Journal::new();
    let group = Group::builder("app")
        .with("a", journal.probe("a"))
        .build()
        .unwrap();
    let shared = Runner::new(Arc::new(group.clone()));
    assert_eq!(path(group.insert("me", shared.clone()).await), ["me", "me"]);
    let boxed = Runner::new(group.clone().boxed());
    drop(shared);
    assert_eq!(path(group.insert("me", boxed.clone()).await), ["me", "me"]);
    assert_eq!(group.members(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_whole_cannot_be_a_member_of_its_own_part() {
    let journal = Journal::new();
    let inner = Group::builder("inner")
        .with("a", journal.probe("a"))
        .build()
        .unwrap();
    let middle = Runner::new(
        Group::builder("middle")
            .with("inner", inner.clone())
            .build()
            .unwrap(),
    );
    let outer = Runner::new(
        Group::builder("outer")
            .with("middle", middle.clone())
            .build()
            .unwrap(),
    );
    within(outer.start()).await.unwrap();
    let whole = path(within(inner.insert("whole", outer.clone())).await);
    assert_eq!(whole, ["whole", "middle", "inner", "whole"]);
    let nested = Runner::new(middle.clone());
    assert!(!path(within(inner.insert("x", nested)).await).is_empty());
    idle().await;
    within(outer.stop()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn another_group_of_the_same_kind_is_a_member() {
    let journal = Journal::new();
    let app = one(&journal).await;
    let other = Group::builder("app")
        .with("a", journal.probe("b"))
        .build()
        .unwrap();
    within(app.service().insert("other", other)).await.unwrap();
    stopped(&app).await;
    assert_eq!(journal.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_name_is_not_empty_and_has_no_slash() {
    let journal = Journal::new();
    let app = one(&journal).await;
    for name in ["", "a/b", "/"] {
        let built = Group::builder("app").with(name, journal.probe("x")).build();
        assert!(
            matches!(built, Err(GroupError::InvalidName { .. })),
            "{built:?}"
        );
        let inserted = within(app.service().insert(name, journal.probe("x"))).await;
        assert!(
            matches!(inserted, Err(GroupError::InvalidName { .. })),
            "{inserted:?}"
        );
    }
    stopped(&app).await;
}
