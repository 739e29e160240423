//! What has happened to a member before its group looked, and may be over by then.

use std::time::Duration;

use startstop_core::{
    Backoff, Group, Member, OnFailure, RestartPolicy, Runner, Service, Settings, State, service_fn,
};
use tokio::time::Instant;

use super::support::{
    Act, Broken, Journal, SECOND, built, idle, on, outcome, start, started, stopped, within,
};

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
        within(app.service().insert(name.clone(), member)).await.expect("it was ready");
        assert!(app.service().get(&name).is_some(), "it stays, whatever it does later");
    }
    // Not always well: the last one may fail when the stop has begun.
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
    within(app.service().insert("flash", member.clone())).await.unwrap();
    assert_eq!((member.state(), begun.elapsed()), (State::Backoff, Duration::ZERO));
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn who_was_ready_for_a_moment_has_been_ready_for_its_dependents() {
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
            .with("c", on(OnFailure::Ignore, journal.probe("c")).after(["a", "b"])),
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
async fn that_it_was_ready_once_does_not_count_after_a_stop_and_a_start_by_hand() {
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
