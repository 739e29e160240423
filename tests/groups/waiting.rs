//! Changes of a group for which a task of one of its members waits, while the group is told to stop: the member does not end
//! before that task has, so the answer must not wait for the member.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use startstop_core::{
    Context, Group, GroupBuilder, GroupError, Member, OnFailure, Runner, Settings, State,
    service_fn,
};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::support::groups::{Act, Journal, Release, on, one, outcome, started, stop};
use crate::support::{SECOND, idle, within};

type Change = Pin<Box<dyn Future<Output = Result<(), GroupError>> + Send>>;

/// How the task is told for which change it is to wait, and the answer.
struct Asking {
    tell: oneshot::Sender<Change>,
    answer: oneshot::Receiver<Result<(), GroupError>>,
}

/// Starts this group with one more member, `a`, of which a task waits for a change of the group.
async fn asking_in(builder: GroupBuilder) -> (Runner<Group>, Asking) {
    let (tell, told) = oneshot::channel::<Change>();
    let (answers, answer) = oneshot::channel();
    let once = Arc::new(Mutex::new(Some((told, answers))));
    let service = service_fn(move |cx: Context| {
        let once = once.lock().expect("nobody panics under it").take();
        async move {
            if let Some((told, answers)) = once {
                cx.spawn(async move {
                    let change = told.await.expect("it is told");
                    let _ = answers.send(change.await);
                });
            }
            cx.cancelled().await;
        }
    });
    let settings = Settings::new().stop_timeout(60 * SECOND);
    let member = Member::new(service).settings(settings);
    (
        started(builder.with("a", member)).await,
        Asking { tell, answer },
    )
}

/// Lets the task of the member ask for that, and waits until it has asked.
async fn ask(
    tell: oneshot::Sender<Change>,
    change: impl Future<Output = Result<(), GroupError>> + Send + 'static,
) {
    assert!(tell.send(Box::pin(change)).is_ok(), "the task is there");
    idle().await;
}

/// Stops the group: it is answered, in no time.
async fn stops_at_once(
    app: &Runner<Group>,
    answer: oneshot::Receiver<Result<(), GroupError>>,
) -> Result<(), GroupError> {
    let begun = Instant::now();
    within(app.stop()).await.expect("nobody is late");
    assert_eq!(begun.elapsed(), Duration::ZERO);
    within(answer).await.expect("the task was not aborted")
}

#[tokio::test(start_paused = true)]
async fn an_insertion_that_starts_is_cancelled_at_once() {
    let journal = Journal::new();
    let (app, Asking { tell, answer }) = asking_in(Group::builder("app")).await;
    let (group, x) = (app.service().clone(), journal.probe("x").explicit());
    ask(tell, async move { group.insert("x", x).await }).await;
    assert_eq!(journal.take(), ["+x"]);
    let error = stops_at_once(&app, answer).await.unwrap_err();
    assert!(matches!(error, GroupError::Stopping), "{error:?}");
    assert_eq!(app.service().members(), ["a"]);
    assert_eq!(journal.take(), ["~x", "-x"]);
}

#[tokio::test(start_paused = true)]
async fn an_insertion_that_takes_its_time_to_stop_is_answered_before_it_has() {
    let journal = Journal::new();
    let app = one(&journal).await;
    let (group, x) = (
        app.service().clone(),
        journal.probe("x").explicit().lingers(),
    );
    let inserting = tokio::spawn(async move { group.insert("x", x).await });
    journal.until("+x").await;
    let stopping = stop(&app).await;
    let error = outcome(inserting).await.unwrap_err();
    assert!(matches!(error, GroupError::Stopping), "{error:?}");
    assert_eq!(app.state(), State::Stopping);
    journal.tell("x", Act::Complete);
    outcome(stopping).await.unwrap();
    assert_eq!(app.service().members(), ["a"]);
}

/// A member that is restarted and takes its time to go down, so that changes wait.
fn restarting(journal: &Journal) -> GroupBuilder {
    Group::builder("app")
        .with("c", on(OnFailure::RestartDependents, journal.probe("c")))
        .with(
            "d",
            Member::new(journal.probe("d").stops_in(5)).after(["c"]),
        )
}

#[tokio::test(start_paused = true)]
async fn an_insertion_that_waits_for_a_restart_is_cancelled_at_once() {
    let journal = Journal::new();
    let (app, Asking { tell, answer }) = asking_in(restarting(&journal)).await;
    journal.tell("c", Act::Fail);
    journal.until("~d").await;
    let (group, x) = (app.service().clone(), journal.probe("x"));
    ask(tell, async move { group.insert("x", x).await }).await;
    app.request_stop();
    let error = within(answer).await.unwrap().unwrap_err();
    assert!(matches!(error, GroupError::Stopping), "{error:?}");
    within(app.stop()).await.unwrap();
    assert_eq!(journal.count("+x"), 0);
    assert_eq!(app.service().members(), ["c", "d", "a"]);
}

#[tokio::test(start_paused = true)]
async fn an_insertion_during_a_drain_is_cancelled_when_that_begins() {
    let journal = Journal::new();
    let drain = Settings::new().drain(10 * SECOND);
    let (app, Asking { tell, answer }) = asking_in(restarting(&journal).settings(drain)).await;
    journal.tell("c", Act::Fail);
    journal.until("~d").await;
    let (group, x) = (app.service().clone(), journal.probe("x"));
    ask(tell, async move { group.insert("x", x).await }).await;
    let begun = Instant::now();
    app.request_stop();
    let error = within(answer).await.unwrap().unwrap_err();
    assert!(matches!(error, GroupError::Stopping), "{error:?}");
    assert_eq!(begun.elapsed(), Duration::ZERO);
    within(app.stop()).await.unwrap();
}

/// It is down already, so that it is off with the stop.
#[tokio::test(start_paused = true)]
async fn a_removal_that_waits_for_a_restart_is_over_with_the_stop() {
    let journal = Journal::new();
    let all = on(OnFailure::RestartAll, journal.probe("c"));
    let builder = Group::builder("app")
        .with("c", all)
        .with("d", journal.probe("d").stops_in(5))
        .with("e", journal.probe("e"));
    let (app, Asking { tell, answer }) = asking_in(builder).await;
    journal.tell("c", Act::Fail);
    journal.until("-e").await;
    let group = app.service().clone();
    ask(tell, async move { group.remove("e").await }).await;
    app.request_stop();
    within(answer).await.unwrap().unwrap();
    within(app.stop()).await.unwrap();
    assert_eq!(app.service().members(), ["c", "d", "a"]);
}

/// Neither before its own task has heard of the stop, nor when that has ended and something of it has not.
#[tokio::test(start_paused = true)]
async fn insert_into_a_stopping_group_is_refused_from_the_first_moment_to_the_last() {
    let journal = Journal::new();
    let app = one(&journal).await;
    app.request_stop();
    assert_eq!(app.state(), State::Stopping);
    let error = within(app.service().insert("x", journal.probe("x"))).await;
    assert!(matches!(error, Err(GroupError::Stopping)), "{error:?}");
    within(app.stop()).await.unwrap();
    within(app.service().insert("x", journal.probe("x")))
        .await
        .unwrap();
    assert_eq!(journal.count("+x"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_with_one_that_does_not_yield_takes_nobody() {
    let (journal, release) = (Journal::new(), Release::default());
    let quick = Settings::new()
        .stop_timeout(SECOND / 10)
        .abort_timeout(SECOND / 10);
    let stuck = journal.probe("a").settings(quick).blocks(&release);
    let app = started(Group::builder("app").with("a", stuck)).await;
    within(app.stop()).await.unwrap_err();
    assert_eq!(app.state(), State::Stopping);
    let error = within(app.service().insert("x", journal.probe("x"))).await;
    assert!(matches!(error, Err(GroupError::Stopping)), "{error:?}");
    *release.0.lock().unwrap() = true;
    release.1.notify_all();
    within(app.wait_for(State::Stopped)).await;
}
