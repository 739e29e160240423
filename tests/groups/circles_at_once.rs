//! Two that become parts of each other at one moment: one of them does, and the other is refused.

use std::future::Future;
use std::sync::Arc;

use startstop_core::{AttachError, Context, Group, GroupError, Runner, service_fn};
use tokio::sync::{Barrier, mpsc};

use crate::support::within;

const ROUNDS: usize = 200;

fn group(name: &'static str) -> Runner<Group> {
    Runner::new(Group::builder(name).build().expect("it has no members"))
}

/// A service that runs, and its context.
async fn running() -> (Runner<impl startstop_core::Service + use<>>, Context) {
    let (sender, mut contexts) = mpsc::unbounded_channel();
    let runner = Runner::new(service_fn(move |cx: Context| {
        let _ = sender.send(cx.clone());
        async move { cx.cancelled().await }
    }));
    within(runner.start()).await.unwrap();
    let cx = contexts.recv().await.expect("it runs");
    (runner, cx)
}

/// Awaits both on two workers at one moment.
async fn at_once<A: Send + 'static, B: Send + 'static>(
    one: impl Future<Output = A> + Send + 'static,
    other: impl Future<Output = B> + Send + 'static,
) -> (A, B) {
    let barrier = Arc::new(Barrier::new(2));
    let other = {
        let barrier = Arc::clone(&barrier);
        tokio::spawn(async move {
            barrier.wait().await;
            other.await
        })
    };
    let one = tokio::spawn(async move {
        barrier.wait().await;
        one.await
    });
    (
        one.await.expect("it is told"),
        other.await.expect("it is told"),
    )
}

fn inserted(result: Result<(), GroupError>) -> bool {
    match result {
        Ok(()) => true,
        Err(GroupError::Cycle { .. }) => false,
        Err(other) => panic!("it is refused: {other:?}"),
    }
}

fn attached(result: Result<(), AttachError>) -> bool {
    match result {
        Ok(()) => true,
        Err(AttachError::Cycle { .. }) => false,
        Err(other) => panic!("it is refused: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_groups_that_are_inserted_into_each_other_one_is() {
    for round in 0..ROUNDS {
        let (one, other) = (group("one"), group("other"));
        let insert = |into: &Runner<Group>, member: &Runner<Group>| {
            let (into, member) = (into.clone(), member.clone());
            async move { into.service().insert("part", member).await }
        };
        let told = at_once(insert(&one, &other), insert(&other, &one)).await;
        let told = (inserted(told.0), inserted(told.1));
        assert!(told.0 != told.1, "in round {round}: {told:?}");
        let whole = if told.0 { one } else { other };
        assert_eq!(whole.status().children().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_runners_that_are_attached_to_each_other_one_is() {
    for round in 0..ROUNDS {
        let (one, of_one) = running().await;
        let (other, of_other) = running().await;
        let attach = |cx: Context, part: &Runner<_>| {
            let part = part.clone();
            async move { cx.attach("part", &part) }
        };
        let told = at_once(attach(of_one, &other), attach(of_other, &one)).await;
        let told = (attached(told.0), attached(told.1));
        assert!(told.0 != told.1, "in round {round}: {told:?}");
        let (whole, part) = if told.0 { (one, other) } else { (other, one) };
        assert_eq!(whole.status().children().len(), 1);
        within(whole.stop()).await.unwrap();
        assert!(!part.is_running(), "it stops with the whole");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_group_and_its_member_that_attaches_it_at_once_one_is_a_part() {
    for round in 0..ROUNDS {
        let (runner, cx) = running().await;
        let group = group("group");
        let insert = {
            let (group, runner) = (group.clone(), runner.clone());
            async move { group.service().insert("part", runner).await }
        };
        let attach = {
            let group = group.clone();
            async move { cx.attach("part", &group) }
        };
        let told = at_once(insert, attach).await;
        let told = (inserted(told.0), attached(told.1));
        assert!(told.0 != told.1, "in round {round}: {told:?}");
        let parts = group.status().children().len() + runner.status().children().len();
        assert_eq!(parts, 1);
        within(runner.stop()).await.unwrap();
    }
}
