//! Members whose start fails at once.

use startstop_core::{Backoff, Exit, Group, Member, OnFailure, Runner, StartError, State};
use tokio_util::sync::CancellationToken;

use crate::support::groups::{Act, Journal, built, built_as_it_is, find, on, stopped};
use crate::support::{SECOND, idle, within};

#[tokio::test(start_paused = true)]
async fn the_runtime_has_its_turn_between_two_tries() {
    let journal = Journal::new();
    let broken = journal.probe("broken").explicit().always(Act::Fail);
    let waits = Runner::new(journal.probe("waits"));
    let member = Member::new(waits.clone()).after(["broken"]);
    let app = built(
        Group::builder("app")
            .limit(5_000, SECOND)
            .with("broken", on(OnFailure::Ignore, broken))
            .with("waits", member.on_failure(OnFailure::RestartMember)),
    );
    app.request_start();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let history = waits.history();
    let tries = history.evicted() + history.entries().len() as u64;
    assert!((2..1_000).contains(&tries), "{tries}");
    stopped(&app).await;
}

/// A runner that was started with a parent, which is cancelled.
async fn orphan(journal: &Journal, name: &str) -> Runner<impl startstop_core::Service + use<>> {
    let (parent, orphan) = (CancellationToken::new(), Runner::new(journal.probe(name)));
    within(orphan.start_with(&parent)).await.unwrap();
    parent.cancel();
    assert_eq!(within(orphan.wait()).await, Exit::Stopped);
    assert!(matches!(
        within(orphan.restart()).await,
        Err(StartError::Cancelled)
    ));
    orphan
}

#[tokio::test(start_paused = true)]
async fn a_group_starts_a_member_whose_parent_is_cancelled() {
    let journal = Journal::new();
    let (a, b) = (orphan(&journal, "a").await, orphan(&journal, "b").await);
    let app = built(Group::builder("app").with("a", a.clone()));
    within(app.start()).await.unwrap();
    within(app.service().insert("b", b.clone())).await.unwrap();
    assert!(a.is_running() && b.is_running());
    within(a.restart()).await.unwrap();
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_a_group_has_started_has_no_parent_any_more() {
    let journal = Journal::new();
    let (parent, a) = (CancellationToken::new(), Runner::new(journal.probe("a")));
    within(a.start_with(&parent)).await.unwrap();
    within(a.stop()).await.unwrap();
    let app = built(Group::builder("app").with("a", a.clone()));
    within(app.start()).await.unwrap();
    parent.cancel();
    idle().await;
    assert!(a.is_running());
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_was_running_stays_with_its_parent() {
    let journal = Journal::new();
    let parent = CancellationToken::new();
    let a = Runner::new(journal.probe("a"));
    within(a.start_with(&parent)).await.unwrap();
    let member = Member::new(a.clone()).on_failure(OnFailure::RestartMember);
    let app = built(Group::builder("app").with("a", member));
    within(app.start()).await.unwrap();
    journal.tell("a", Act::Fail);
    journal.until("+a").await;
    within(a.wait_for(State::Running)).await;
    parent.cancel();
    within(a.wait_for(State::Stopped)).await;
    assert!(app.is_running(), "it was stopped by hand, as it were");
    stopped(&app).await;
}

/// The group restarts it, and a restart keeps the parent.
#[tokio::test(start_paused = true)]
async fn a_restart_by_the_group_is_refused_once_the_parent_is_cancelled() {
    let journal = Journal::new();
    let (parent, a) = (CancellationToken::new(), Runner::new(journal.probe("a")));
    within(a.start_with(&parent)).await.unwrap();
    let all = on(OnFailure::RestartAll, journal.probe("all"));
    let builder = Group::builder("app").backoff(Backoff::constant(SECOND));
    let app = built_as_it_is(builder.with("all", all).with("a", a.clone()));
    within(app.start()).await.unwrap();
    journal.tell("all", Act::Fail);
    within(a.wait_for(State::Stopped)).await;
    parent.cancel();
    assert_eq!(within(app.wait()).await, Exit::Failed);
    let failure = app.errors_last().expect("its start was refused");
    let found = find::<StartError>(&failure);
    assert!(matches!(found, Some(StartError::Cancelled)), "{failure:?}");
}
