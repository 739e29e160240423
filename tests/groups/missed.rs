//! Events of a member that are over before its group looks.

use std::future::Future;
use std::time::Duration;

use startstop_core::{
    Backoff, Context, Exit, Group, Member, OnCompletion, OnFailure, Readiness, RestartPolicy,
    Runner, Service, Settings, State, service_fn,
};
use tokio::time::Instant;

use crate::support::groups::{
    Act, Broken, Journal, begin, beside, built, ended_by, on, outcome, start, started, stopped,
};
use crate::support::{SECOND, idle, within};

/// Starts a member by its handle as soon as it has ended, before the group can look.
async fn start_again(app: &Runner<Group>, name: &str) {
    let member = app.service().get(name).expect("there is such a member");
    drop(begin(async move { (member.wait().await, member.start().await) }).await);
}

#[tokio::test(start_paused = true)]
async fn a_failure_counts_though_the_member_is_started_again_at_once() {
    let journal = Journal::new();
    let app = beside(&journal).await;
    start_again(&app, "b").await;
    journal.tell("b", Act::Fail);
    ended_by(&app, "b").await;
    assert_eq!(journal.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_completion_counts_though_the_member_is_started_again_at_once() {
    let journal = Journal::new();
    let last = Member::new(journal.probe("b")).on_completion(OnCompletion::StopGroup);
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .with("b", last),
    )
    .await;
    start_again(&app, "b").await;
    journal.tell("b", Act::Complete);
    assert_eq!(within(app.wait()).await, Exit::Completed);
    assert_eq!(journal.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_failure_restarts_the_others_where_the_member_is_started_again_at_once() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", on(OnFailure::RestartDependents, journal.probe("a")))
            .then("b", journal.probe("b").stops_in(2)),
    )
    .await;
    start_again(&app, "a").await;
    journal.take();
    journal.tell("a", Act::Fail);
    journal.until("+b").await;
    assert_eq!(journal.moves(), ["-a", "+a", "-b", "+b"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn an_ignored_failure_before_a_start_by_hand_changes_nothing() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", on(OnFailure::Ignore, journal.probe("a")))
            .then("b", journal.probe("b")),
    )
    .await;
    start_again(&app, "a").await;
    journal.take();
    journal.tell("a", Act::Fail);
    idle().await;
    assert!(app.is_running());
    assert_eq!(journal.moves(), ["-a", "+a"]);
    stopped(&app).await;
    assert_eq!(journal.moves(), ["-b", "-a"]);
}

/// Ready, and at once broken.
fn flash() -> impl Service {
    service_fn(async |_cx| Err::<(), _>(Broken("flash".into())))
}

/// Whether an insertion says what a start says of a service that is ready and fails within one poll.
async fn an_insertion_of_a_flash_is_a_start() {
    let app = started(Group::builder("app")).await;
    for attempt in 0..50 {
        let alone = Runner::new(flash());
        within(alone.start()).await.expect("it was ready");
        let name = format!("flash-{attempt}");
        let member = Member::new(flash()).on_failure(OnFailure::Ignore);
        within(app.service().insert(name.clone(), member))
            .await
            .expect("it was ready");
        assert!(
            app.service().get(&name).is_some(),
            "it stays, whatever it does later"
        );
    }
    // The stop may fail: the last member may fail when the stop has begun.
    let _ = within(app.stop()).await;
}

#[tokio::test(start_paused = true)]
async fn an_insertion_is_well_if_the_member_was_ready_at_all() {
    an_insertion_of_a_flash_is_a_start().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_insertion_is_well_on_several_threads_if_the_member_was_ready_at_all() {
    an_insertion_of_a_flash_is_a_start().await;
}

#[tokio::test(start_paused = true)]
async fn an_insertion_is_well_if_the_first_of_many_attempts_was_ready() {
    let app = started(Group::builder("app")).await;
    let patient = RestartPolicy::on_failure().backoff(Backoff::constant(SECOND));
    let member = Runner::with_settings(flash(), Settings::new().restart(patient));
    let begun = Instant::now();
    within(app.service().insert("flash", member.clone()))
        .await
        .unwrap();
    assert_eq!(
        (member.state(), begun.elapsed()),
        (State::Backoff, Duration::ZERO)
    );
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_was_ready_for_a_moment_has_been_ready_for_its_dependents() {
    let journal = Journal::new();
    let builder = Group::builder("app")
        .with("a", Member::new(flash()).on_failure(OnFailure::Ignore))
        .with("b", on(OnFailure::Ignore, journal.probe("b").explicit()))
        .then("c", journal.probe("c"));
    journal.tell("b", Act::Ready);
    journal.tell("b", Act::Fail);
    let app = started(builder).await;
    assert_eq!(journal.take(), ["+b", "-b", "+c"]);
    stopped(&app).await;
}

/// `c` comes after `a` and `b`; `a` was ready and has been begun anew, `b` is not ready yet.
async fn begun_anew(journal: &Journal, anew: impl AsyncFnOnce(&Runner<Group>)) {
    let app = built(
        Group::builder("app")
            .with("a", on(OnFailure::Ignore, journal.probe("a").explicit()))
            .with("b", journal.probe("b").explicit())
            .with(
                "c",
                on(OnFailure::Ignore, journal.probe("c")).after(["a", "b"]),
            ),
    );
    let call = start(&app).await;
    journal.tell("a", Act::Ready);
    idle().await;
    anew(&app).await;
    journal.until("+a").await;
    journal.tell("a", Act::Fail);
    idle().await;
    journal.tell("b", Act::Ready);
    outcome(call).await.unwrap();
    assert_eq!((journal.count("+a"), journal.count("+c")), (2, 0));
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn an_earlier_readiness_does_not_count_after_a_stop_and_a_start_by_hand() {
    let journal = Journal::new();
    begun_anew(&journal, async |app| {
        let a = app.service().get("a").unwrap();
        within(a.stop()).await.unwrap();
        idle().await;
        journal.take();
        a.request_start();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_earlier_readiness_does_not_count_after_a_restart_by_hand() {
    let journal = Journal::new();
    begun_anew(&journal, async |app| {
        journal.take();
        app.service().get("a").unwrap().request_restart();
    })
    .await;
}

/// Ready and at once broken, again each minute.
fn flicker() -> Runner<impl Service> {
    let minute = Backoff::constant(60 * SECOND).jitter(0.0);
    let policy = RestartPolicy::on_failure().backoff(minute);
    Runner::with_settings(flash(), Settings::new().restart(policy))
}

#[tokio::test(start_paused = true)]
async fn the_group_is_ready_though_members_are_so_for_a_moment_only() {
    let journal = Journal::new();
    let (a, b) = (flicker(), flicker());
    let begun = Instant::now();
    let app = started(
        Group::builder("app")
            .with("a", a.clone())
            .with("b", b.clone())
            .with("c", Member::new(journal.probe("c")).after(["a"])),
    )
    .await;
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!((a.state(), b.state()), (State::Backoff, State::Backoff));
    assert_eq!(journal.live(), 1);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_waits_for_another_as_well_starts_at_the_next_moment() {
    let journal = Journal::new();
    let app = built(
        Group::builder("app")
            .with("a", flicker())
            .with("b", journal.probe("b").ready_in(10))
            .then("c", journal.probe("c")),
    );
    let begun = Instant::now();
    within(app.start()).await.expect("everything was ready");
    assert_eq!(journal.seconds(begun, "+c"), 60);
    stopped(&app).await;
}

/// Explicitly ready, with ten seconds between two attempts.
fn explicit<F>(run: impl Fn(Context) -> F + Send + Sync + 'static) -> Runner<impl Service>
where
    F: Future<Output = Result<(), &'static str>> + Send + 'static,
{
    let later = Backoff::constant(10 * SECOND).jitter(0.0);
    let settings = Settings::new()
        .readiness(Readiness::Explicit)
        .restart(RestartPolicy::on_failure().backoff(later));
    Runner::with_settings(service_fn(run), settings)
}

/// An attempt that lasts.
async fn ready_in(after: Duration, cx: Context) -> Result<(), &'static str> {
    tokio::time::sleep(after).await;
    cx.ready();
    cx.cancelled().await;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_member_that_fails_before_it_is_ready_has_not_been_ready_for_a_moment() {
    let journal = Journal::new();
    let second_time = explicit(async |cx: Context| {
        if cx.attempt() == 1 {
            return Err("not yet");
        }
        ready_in(Duration::ZERO, cx).await
    });
    let builder = Group::builder("app")
        .with("a", second_time)
        .then("b", journal.probe("b"));
    let begun = Instant::now();
    let app = started(builder).await;
    assert_eq!(journal.seconds(begun, "+b"), 10);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_moment_is_over_when_the_next_attempt_begins() {
    let journal = Journal::new();
    let comes_and_goes = explicit(async |cx: Context| {
        if cx.attempt() == 1 {
            cx.ready();
            return Err("gone");
        }
        ready_in(20 * SECOND, cx).await
    });
    let builder = Group::builder("app")
        .with("a", comes_and_goes)
        .with("b", journal.probe("b").ready_in(5))
        .then("c", journal.probe("c"));
    let begun = Instant::now();
    let app = started(builder).await;
    assert_eq!(journal.seconds(begun, "+c"), 30);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_moment_counts_though_tasks_are_left_of_it() {
    let journal = Journal::new();
    let lingers = explicit(async |cx: Context| {
        cx.spawn(async { tokio::time::sleep(3 * SECOND).await });
        cx.ready();
        Err("gone")
    });
    let begun = Instant::now();
    let app = started(
        Group::builder("app")
            .with("a", lingers)
            .then("b", journal.probe("b")),
    )
    .await;
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(journal.live(), 1);
    tokio::time::sleep(5 * SECOND).await;
    stopped(&app).await;
}
