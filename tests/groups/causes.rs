//! Which of several failures of a member its group tells: the one that the member's own runner would.

use std::future::pending;
use std::time::Duration;

use startstop_core::{
    Exit, Group, GroupError, Member, OnFailure, Permanent, Readiness, RestartPolicy, Runner,
    Settings, StartError, StopError, once, service_fn,
};

use crate::support::groups::{built, find, quiet, started, stopped};
use crate::support::{Act, Broken, Event, Probe, Remote, SECOND, idle, probed, within};

/// One that fails once more when it has failed.
fn failing_twice(settings: Settings) -> (Runner<Probe>, Remote) {
    let (member, probe) = probed(settings.shutdown_always(true));
    probe.on_shutdown(Act::Fail("later"));
    (member, probe)
}

async fn empty() -> Runner<Group> {
    started(Group::builder("app")).await
}

/// A group of one that has reported a failure, and is aborted when it is told to stop.
async fn reported() -> (Runner<Group>, Remote) {
    let (member, mut probe) = probed(Settings::new().stop_timeout(Duration::ZERO));
    let app = started(Group::builder("app").with("a", member)).await;
    probe.until(Event::Run(1, 1)).await;
    probe.tell(Act::with(|cx| cx.report(Broken("earlier"))));
    idle().await;
    (app, probe)
}

#[tokio::test(start_paused = true)]
async fn a_group_fails_with_what_ended_its_member() {
    let (member, probe) = failing_twice(Settings::new());
    let app = started(Group::builder("app").with("a", member.clone())).await;
    probe.tell(Act::Fail("first"));
    assert_eq!(within(app.wait()).await, Exit::Failed);
    assert_eq!(member.errors_list().len(), 2);
    assert_eq!(find(&app.errors_last().unwrap()), Some(&Broken("first")));
}

#[tokio::test(start_paused = true)]
async fn a_permanent_error_of_a_member_is_permanent_for_the_group() {
    let service = service_fn(async |_cx| Err::<(), _>(Permanent::new(Broken("first"))));
    let service = service.on_shutdown(async |_cx| Err::<(), _>(Broken("later")));
    let member = Runner::with_settings(service, Settings::new().shutdown_always(true));
    let policy = Settings::new().restart(RestartPolicy::on_failure());
    let app = Group::builder("app")
        .settings(policy)
        .with("a", member.clone())
        .build()
        .unwrap();
    let app = Runner::new(app);
    app.request_start();
    assert_eq!(within(app.wait()).await, Exit::Failed);
    assert_eq!(member.errors_list().len(), 2);
    assert_eq!(app.status().attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_permanent_error_ends_the_policy_of_a_member_and_not_what_its_group_does() {
    for (on_failure, attempts) in [(OnFailure::Ignore, 1), (OnFailure::RestartMember, 1 + 3)] {
        let service = once(async |_cx| Err::<(), _>(Permanent::new(Broken("for good"))));
        let settings = Settings::new().restart(RestartPolicy::on_failure());
        let member = Member::new(service)
            .settings(settings)
            .on_failure(on_failure);
        let app = Group::builder("app").limit(3, SECOND).with("a", member);
        let app = built(app.with("b", quiet()));
        let started = within(app.start()).await;
        assert_eq!(started.is_ok(), on_failure == OnFailure::Ignore);
        let a = app.service().get("a").unwrap();
        assert_eq!(a.status().attempts(), attempts);
        assert_eq!(a.errors_last().unwrap().find(), Some(&Broken("for good")));
        stopped(&app).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_insertion_fails_with_what_ended_the_member() {
    let (member, probe) = failing_twice(Settings::new().readiness(Readiness::Explicit));
    probe.tell(Act::Fail("first"));
    let app = empty().await;
    let inserted = within(app.service().insert("a", member)).await;
    let Err(GroupError::Start(StartError::Failed(failure))) = inserted else {
        panic!("{inserted:?}")
    };
    assert_eq!(find(&failure), Some(&Broken("first")));
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn an_insertion_that_is_late_is_so_whatever_fails_after_it() {
    let settings = Settings::new()
        .readiness(Readiness::Explicit)
        .start_timeout(SECOND);
    let (member, _probe) = failing_twice(settings);
    let app = empty().await;
    let inserted = within(app.service().insert("a", member.clone())).await;
    assert!(
        matches!(inserted, Err(GroupError::Start(StartError::TimedOut))),
        "{inserted:?}"
    );
    assert_eq!(member.errors_list().len(), 2);
    stopped(&app).await;
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("later");
    }
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_is_late_is_so_whatever_fails_after_it() {
    let member = Runner::new(service_fn(async |_cx| {
        let _bomb = Bomb;
        pending::<()>().await;
    }));
    let app = started(Group::builder("app").with("a", member.clone())).await;
    idle().await;
    let removed = within(app.service().remove("a")).await;
    assert!(
        matches!(removed, Err(GroupError::Stop(StopError::TimedOut))),
        "{removed:?}"
    );
    assert_eq!(member.errors_list().len(), 2);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_well_whatever_was_reported_before() {
    let (app, probe) = reported().await;
    stopped(&app).await;
    assert!(app.errors_last().is_none() && probe.is_quiet());
}

#[tokio::test(start_paused = true)]
async fn a_removal_is_well_whatever_was_reported_before() {
    let (app, probe) = reported().await;
    within(app.service().remove("a")).await.unwrap();
    assert!(probe.is_quiet());
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_has_ended_well_and_is_aborted_by_its_handle_has_not_failed() {
    has_not_failed_by(async |member| within(member.stop_within(Duration::ZERO)).await.unwrap())
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_has_ended_well_and_is_late_when_its_handle_stops_it_has_not_failed() {
    has_not_failed_by(async |member| {
        let stopped = within(member.stop()).await;
        assert!(matches!(stopped, Err(StopError::TimedOut)), "{stopped:?}");
    })
    .await;
}

/// A member that has returned `Ok`, and whose task goes on until the handle has it end.
async fn has_not_failed_by(end: impl AsyncFnOnce(&Runner<Probe>)) {
    let (member, mut probe) = probed(Settings::new());
    let app = started(Group::builder("app").with("a", member.clone())).await;
    probe.tell(Act::with(|cx| cx.report(Broken("earlier"))));
    probe.tell(Act::spawn(Act::Hang));
    probe.tell(Act::Complete);
    probe.until(Event::Task).await;
    idle().await;
    end(&member).await;
    idle().await;
    assert!(app.is_running() && app.errors_last().is_none());
    stopped(&app).await;
}
