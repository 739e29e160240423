//! Groups that are not ready in time: what has started is rolled back.

use std::time::Duration;

use startstop_core::{
    Cause, EventKind, Exit, Group, GroupBuilder, Interruption, OnFailure, Runner, Service,
    Settings, StartError, State, StopReason,
};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::support::groups::{Act, Broken, Journal, begin, built, find, on, outcome};
use crate::support::{SECOND, idle, within};

fn group(start: u32) -> GroupBuilder {
    Group::builder("app").settings(Settings::new().start_timeout(start * SECOND))
}

fn patient() -> Settings {
    Settings::new().start_timeout(Duration::MAX)
}

/// A group whose `b` is never ready, and the call of its start, which has 5 s; its `a` takes 4 s to stop.
async fn starting(journal: &Journal) -> (Runner<Group>, JoinHandle<Result<(), StartError>>) {
    let a = journal.probe("a").stops_in(4);
    let app = built(
        group(5)
            .with("a", a)
            .then("b", journal.probe("b").explicit().settings(patient())),
    );
    let call = app.clone();
    (app, begin(async move { call.start().await }).await)
}

fn members(app: &Runner<Group>) -> Vec<String> {
    let failure = app.errors_list().remove(0);
    assert_eq!(failure.cause(), Cause::TimedOut);
    match failure.error().downcast_ref::<Interruption>() {
        Some(Interruption::MembersNotReady { after, members }) => {
            assert_eq!(after.as_secs(), 5);
            members.clone()
        }
        _ => panic!("{failure:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn started_members_of_a_late_group_are_stopped_in_reverse_each_within_its_own_time() {
    let journal = Journal::new();
    let builder = group(5)
        .with("a", journal.probe("a").stops_in(2))
        .then("b", journal.probe("b"));
    let app = built(builder.then("c", journal.probe("c").explicit().settings(patient())));
    let mut events = app.events();
    let begun = Instant::now();
    let error = within(app.start()).await.unwrap_err();
    assert!(matches!(error, StartError::TimedOut), "{error:?}");
    assert_eq!(begun.elapsed().as_secs(), 7);
    let expected = ["+a", "+b", "+c", "~c", "-c", "~b", "-b", "~a", "-a"];
    assert_eq!(journal.take(), expected);
    assert_eq!(members(&app), ["c is starting"]);
    assert_eq!(
        (app.state(), within(app.wait()).await),
        (State::Stopped, Exit::Failed)
    );
    let reasons = std::iter::from_fn(|| events.try_next()).filter_map(|event| match event.kind() {
        EventKind::Stopping(reason) if event.path() == "app" => Some(*reason),
        _ => None,
    });
    assert_eq!(reasons.collect::<Vec<_>>(), [StopReason::StartTimedOut]);
}

#[tokio::test(start_paused = true)]
async fn the_failure_says_what_each_waited_for() {
    use startstop_core::{Backoff, RestartPolicy};
    let journal = Journal::new();
    let retried = RestartPolicy::on_failure().backoff(Backoff::constant(60 * SECOND));
    let db = journal
        .probe("db")
        .explicit()
        .settings(patient().restart(retried));
    let app = built(
        group(5)
            .with("db", db)
            .then("cache", journal.probe("cache"))
            .then("http", journal.probe("http")),
    );
    journal.tell("db", Act::Fail);
    within(app.start()).await.unwrap_err();
    let members = members(&app);
    assert_eq!(members.len(), 3, "{members:?}");
    assert!(
        members[0].starts_with("db is backoff, after: "),
        "{members:?}"
    );
    assert_eq!(members[1], "cache is stopped and waits for db");
    assert_eq!(members[2], "http is stopped and waits for db, cache");
}

#[tokio::test(start_paused = true)]
async fn a_member_that_fails_is_not_hidden_by_the_deadline() {
    let journal = Journal::new();
    let (_app, call) = starting(&journal).await;
    tokio::time::sleep(3 * SECOND).await;
    journal.tell("b", Act::Fail);
    let error = outcome(call).await.unwrap_err();
    assert!(matches!(error, StartError::Failed(_)), "{error:?}");
    assert_eq!(find::<Broken>(&error), Some(&Broken("b".into())));
    assert_eq!(journal.take(), ["+a", "+b", "-b", "~a", "-a"]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_in_the_rollback_is_kept_beside() {
    let journal = Journal::new();
    let a = on(OnFailure::StopGroup, journal.probe("a").fails_to_stop());
    let app = built(
        group(5)
            .with("a", a)
            .then("b", journal.probe("b").explicit().settings(patient())),
    );
    let error = within(app.start()).await.unwrap_err();
    assert!(matches!(error, StartError::TimedOut), "{error:?}");
    assert_eq!(members(&app), ["b is starting"]);
    assert_eq!(app.errors_list().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stop_in_the_rollback_joins_it() {
    let journal = Journal::new();
    let (app, call) = starting(&journal).await;
    tokio::time::sleep(6 * SECOND).await;
    within(app.stop()).await.unwrap();
    outcome(call).await.unwrap_err();
    assert_eq!(journal.count("-a"), 1);
    assert_eq!((app.state(), journal.live()), (State::Stopped, 0));
}

#[tokio::test(start_paused = true)]
async fn a_policy_starts_a_group_again_that_was_late() {
    use startstop_core::{Backoff, RestartPolicy};
    let journal = Journal::new();
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(SECOND));
    let settings = Settings::new().start_timeout(5 * SECOND).restart(policy);
    let builder = Group::builder("app")
        .settings(settings)
        .with("a", journal.probe("a"));
    let app = built(builder.then("b", journal.probe("b").explicit().settings(patient())));
    app.request_start();
    tokio::time::sleep(8 * SECOND).await;
    idle().await;
    journal.tell("b", Act::Ready);
    within(app.wait_for(State::Running)).await;
    assert_eq!(journal.moves(), ["+a", "+b", "-b", "-a", "+a", "+b"]);
    within(app.stop()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_struct_of_runners_rolls_back_too() {
    #[derive(Service)]
    #[service(start_timeout = "5s")]
    struct App<A: Service, B: Service> {
        #[service(member)]
        a: Runner<A>,
        #[service(member)]
        b: Runner<B>,
    }
    let journal = Journal::new();
    let app = Runner::new(App {
        a: Runner::new(journal.probe("a")),
        b: Runner::new(journal.probe("b").explicit().settings(patient())),
    });
    assert!(matches!(
        within(app.start()).await,
        Err(StartError::TimedOut)
    ));
    assert_eq!(journal.take(), ["+a", "+b", "~b", "-b", "~a", "-a"]);
    assert!(
        app.errors_last()
            .unwrap()
            .error()
            .to_string()
            .contains("b is starting")
    );
}
