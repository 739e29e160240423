//! Members that write one journal and do what they are told, and what the tests wait with.

use std::error::Error;
use std::future::Future;

use startstop_core::{
    Backoff, Exit, Group, GroupBuilder, GroupError, IntoMember, Member, OnFailure, Runner,
};
use tokio::task::JoinHandle;

use super::{idle, within};

mod journal;
mod probe;

pub(crate) use journal::Journal;
pub(crate) use probe::{Act, Broken, Probe, Release};

/// Begins to wait for an outcome, which others can still bring about.
pub(crate) async fn begin<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    let handle = tokio::spawn(future);
    idle().await;
    handle
}

/// The outcome of a call that has begun.
pub(crate) async fn outcome<T>(call: JoinHandle<T>) -> T {
    within(call).await.expect("the caller does not panic")
}

/// A group that restarts its members at once.
pub(crate) fn built(builder: GroupBuilder) -> Runner<Group> {
    built_as_it_is(builder.backoff(Backoff::none()))
}

pub(crate) fn built_as_it_is(builder: GroupBuilder) -> Runner<Group> {
    Runner::new(builder.build().expect("the graph is sound"))
}

pub(crate) async fn started(builder: GroupBuilder) -> Runner<Group> {
    started_as_it_is(builder.backoff(Backoff::none())).await
}

pub(crate) async fn started_as_it_is(builder: GroupBuilder) -> Runner<Group> {
    let app = built_as_it_is(builder);
    within(app.start()).await.expect("everything starts");
    app
}

/// A service that waits for its stop.
pub(crate) fn quiet() -> impl startstop_core::Service {
    startstop_core::service_fn(async |cx| cx.cancelled().await)
}

/// `a` alone, up.
pub(crate) async fn one(journal: &Journal) -> Runner<Group> {
    started(Group::builder("app").with("a", journal.probe("a"))).await
}

/// `a`, and after it `b`, both up.
pub(crate) async fn two(journal: &Journal) -> Runner<Group> {
    let builder = Group::builder("app").with("a", journal.probe("a"));
    started(builder.then("b", journal.probe("b"))).await
}

/// `a` and `b`, neither of which depends on the other, both up.
pub(crate) async fn beside(journal: &Journal) -> Runner<Group> {
    let builder = Group::builder("app").with("a", journal.probe("a"));
    started(builder.with("b", journal.probe("b"))).await
}

/// `a`, which the group goes on without when it fails, and others that depend on nobody, all up.
pub(crate) async fn ignored(journal: &Journal, others: &[&str]) -> Runner<Group> {
    let a = on(OnFailure::Ignore, journal.probe("a"));
    let builder = Group::builder("app").with("a", a);
    started(with_others(builder, journal, others)).await
}

fn with_others(builder: GroupBuilder, journal: &Journal, others: &[&str]) -> GroupBuilder {
    let with = |all: GroupBuilder, name: &&str| all.with(*name, journal.probe(name));
    others.iter().fold(builder, with)
}

/// In the middle of a restart: `a` has failed, and `b`, which comes after it, goes down until it is told to
/// complete. The others are up and depend on nobody.
pub(crate) async fn restarting(journal: &Journal, others: &[&str]) -> Runner<Group> {
    let builder = Group::builder("app")
        .with("a", on(OnFailure::RestartDependents, journal.probe("a")))
        .then("b", journal.probe("b").lingers());
    let app = started(with_others(builder, journal, others)).await;
    journal.tell("a", Act::Fail);
    journal.until("~b").await;
    app
}

/// In the middle of its start: `a` is up, `b` after it is not ready yet, `c` after that waits.
pub(crate) async fn half_started(journal: &Journal) -> (Runner<Group>, Starting) {
    let app = built(
        Group::builder("app")
            .with("a", on(OnFailure::RestartDependents, journal.probe("a")))
            .with("b", Member::new(journal.probe("b").explicit()).after(["a"]))
            .with("c", Member::new(journal.probe("c")).after(["b"])),
    );
    let call = start(&app).await;
    (app, call)
}

pub(crate) async fn stopped(app: &Runner<Group>) {
    within(app.stop()).await.expect("everything stops well");
}

/// Aborts a service by request, which is no failure.
pub(crate) async fn aborted(app: &Runner<impl startstop_core::Service>) {
    let call = app.stop_within(std::time::Duration::ZERO);
    within(call).await.expect("it is no failure");
}

/// Waits for the end of a group that fails with the failure of this probe.
pub(crate) async fn ended_by(app: &Runner<Group>, name: &str) {
    assert_eq!(within(app.wait()).await, Exit::Failed);
    let last = app.errors_last().expect("the group has failed");
    assert_eq!(find::<Broken>(&last), Some(&Broken(name.into())));
}

/// A start that has begun.
pub(crate) type Starting = JoinHandle<Result<(), startstop_core::StartError>>;

pub(crate) async fn start(app: &Runner<Group>) -> Starting {
    let app = app.clone();
    begin(async move { app.start().await }).await
}

pub(crate) async fn stop(app: &Runner<Group>) -> JoinHandle<Result<(), startstop_core::StopError>> {
    let app = app.clone();
    begin(async move { app.stop().await }).await
}

/// A change of the members that has begun.
pub(crate) type Changing = JoinHandle<Result<(), GroupError>>;

pub(crate) async fn insert(
    app: &Runner<Group>,
    name: &'static str,
    member: impl IntoMember + Send + 'static,
) -> Changing {
    let group = app.service().clone();
    begin(async move { group.insert(name, member).await }).await
}

pub(crate) async fn remove(app: &Runner<Group>, name: &'static str) -> Changing {
    let group = app.service().clone();
    begin(async move { group.remove(name).await }).await
}

/// A member that asks for this when it fails.
pub(crate) fn on(on_failure: OnFailure, probe: Probe) -> Member {
    Member::new(probe).on_failure(on_failure)
}

/// The first error of a type in a chain of sources.
pub(crate) fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut at = Some(error);
    while let Some(error) = at {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        at = error.source();
    }
    None
}
