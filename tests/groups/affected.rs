//! The members that a restart takes along, and the states in which it finds and leaves them.

use startstop_core::{
    Backoff, Context, Exit, Group, Member, OnCompletion, OnFailure, RestartPolicy, Runner,
    Settings, State, once, service_fn,
};

use crate::support::groups::{
    Act, Journal, begin, built, half_started, on, outcome, restarting, start, started, stopped,
};
use crate::support::{SECOND, idle, within};

#[tokio::test(start_paused = true)]
async fn a_member_that_is_in_backoff_is_stopped_and_starts_with_the_others() {
    let journal = Journal::new();
    let slow = RestartPolicy::on_failure().backoff(Backoff::constant(60 * SECOND));
    let b = journal.probe("b").settings(Settings::new().restart(slow));
    let app = started(
        Group::builder("app")
            .with("a", on(OnFailure::RestartDependents, journal.probe("a")))
            .then("b", b),
    )
    .await;
    journal.tell("b", Act::Fail);
    idle().await;
    assert_eq!(app.service().get("b").unwrap().state(), State::Backoff);
    journal.tell("a", Act::Fail);
    idle().await;
    assert_eq!(journal.take(), ["+a", "+b", "-b", "-a", "+a", "+b"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_has_completed_or_was_stopped_by_hand_stays_so() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("job", journal.probe("job").job().always(Act::Complete))
            .with("a", on(OnFailure::RestartAll, journal.probe("a")))
            .with("hand", journal.probe("hand"))
            .with("b", journal.probe("b")),
    )
    .await;
    within(app.service().get("hand").unwrap().stop())
        .await
        .unwrap();
    journal.tell("a", Act::Fail);
    idle().await;
    let counts = ["+job", "+a", "+hand", "+b"].map(|line| journal.count(line));
    assert_eq!(counts, [1, 2, 1, 2]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_completes_before_the_group_has_seen_the_failure_stays_so() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", on(OnFailure::RestartAll, journal.probe("a")))
            .with("job", journal.probe("job")),
    )
    .await;
    journal.tell("a", Act::Fail);
    journal.tell("job", Act::Complete);
    idle().await;
    assert_eq!((journal.count("+a"), journal.count("+job")), (2, 1));
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_completion_during_a_restart_can_end_the_group() {
    let journal = Journal::new();
    let job = Member::new(journal.probe("job")).on_completion(OnCompletion::StopGroup);
    let app = started(
        Group::builder("app")
            .with("a", on(OnFailure::RestartAll, journal.probe("a")))
            .with("job", job)
            .then("b", journal.probe("b").stops_in(3)),
    )
    .await;
    journal.tell("a", Act::Fail);
    journal.until("~b").await;
    journal.tell("job", Act::Complete);
    assert_eq!(within(app.wait()).await, Exit::Completed);
    assert_eq!(
        ["+a", "+job", "+b"].map(|line| journal.count(line)),
        [1, 1, 1]
    );
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_being_stopped_by_hand_stays_so() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", on(OnFailure::RestartAll, journal.probe("a")))
            .then("b", journal.probe("b").stops_in(3))
            .then("c", journal.probe("c")),
    )
    .await;
    let b = app.service().get("b").unwrap();
    let call = begin(async move { b.stop().await }).await;
    journal.tell("a", Act::Fail);
    outcome(call).await.unwrap();
    idle().await;
    assert_eq!(
        ["+a", "+b", "+c"].map(|line| journal.count(line)),
        [2, 1, 2]
    );
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_stopped_by_hand_before_its_turn_to_go_down_stays_so() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", on(OnFailure::RestartAll, journal.probe("a")))
            .then("b", journal.probe("b"))
            .then("c", journal.probe("c").stops_in(3)),
    )
    .await;
    journal.tell("a", Act::Fail);
    journal.until("~c").await;
    within(app.service().get("b").unwrap().stop())
        .await
        .unwrap();
    tokio::time::sleep(5 * SECOND).await;
    assert_eq!(
        ["+a", "+b", "+c"].map(|line| journal.count(line)),
        [2, 1, 2]
    );
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_being_restarted_by_hand_comes_back_with_the_others() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", on(OnFailure::RestartAll, journal.probe("a")))
            .then("b", journal.probe("b").stops_in(3)),
    )
    .await;
    app.service().get("b").unwrap().request_restart();
    journal.until("~b").await;
    journal.tell("a", Act::Fail);
    tokio::time::sleep(5 * SECOND).await;
    assert_eq!(["+a", "+b"].map(|line| journal.count(line)), [2, 2]);
    assert_eq!(journal.live(), 2);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn an_ignored_one_comes_back_with_a_restart_of_all() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", on(OnFailure::RestartAll, journal.probe("a")))
            .with("b", on(OnFailure::Ignore, journal.probe("b"))),
    )
    .await;
    journal.tell("b", Act::Fail);
    idle().await;
    journal.tell("a", Act::Fail);
    idle().await;
    assert_eq!(journal.count("+b"), 2);
    assert_eq!(journal.live(), 2);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_unstarted_stays_pending_over_a_restart() {
    let journal = Journal::new();
    let app = built(
        Group::builder("app")
            .with("a", on(OnFailure::RestartAll, journal.probe("a")))
            .with("b", journal.probe("b").explicit())
            .then("c", journal.probe("c")),
    );
    let call = start(&app).await;
    for _ in 0..3 {
        journal.tell("a", Act::Fail);
        idle().await;
    }
    assert_eq!(journal.count("+c"), 0);
    journal.tell("b", Act::Ready);
    outcome(call).await.unwrap();
    assert_eq!((journal.count("+c"), journal.count("+b")), (1, 4));
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_becomes_ready_on_its_way_down_lets_no_dependent_start() {
    let journal = Journal::new();
    let (app, call) = half_started(&journal).await;
    journal.tell("a", Act::Fail);
    journal.tell("b", Act::Ready);
    idle().await;
    assert_eq!(journal.take(), ["+a", "+b", "-a", "~b", "-b", "+a", "+b"]);
    journal.tell("b", Act::Ready);
    outcome(call).await.unwrap();
    assert_eq!(journal.take(), ["+c"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_started_by_hand_meanwhile_does_not_begin_the_restart_early() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", on(OnFailure::RestartAll, journal.probe("a")))
            .with("b", on(OnFailure::Ignore, journal.probe("b")))
            .with("c", journal.probe("c").stops_in(3)),
    )
    .await;
    journal.tell("b", Act::Fail);
    idle().await;
    journal.tell("a", Act::Fail);
    idle().await;
    journal.take();
    app.service().get("b").unwrap().request_start();
    journal.until("+c").await;
    idle().await;
    let lines = journal.moves();
    let down = lines
        .iter()
        .position(|line| line == "-c")
        .expect("it restarts");
    let up = lines
        .iter()
        .position(|line| line == "+a")
        .expect("it restarts");
    assert!(down < up, "{lines:?}");
    assert_eq!(journal.live(), 3);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_begun_anew_by_hand_on_its_way_down_is_taken_out() {
    let journal = Journal::new();
    let app = restarting(&journal, &[]).await;
    app.service().get("b").unwrap().request_start();
    journal.take();
    journal.tell("b", Act::Complete);
    idle().await;
    assert_eq!(journal.moves(), ["-b", "+b", "+a"]);
    journal.tell("b", Act::Complete);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn all_come_up_again_behind_a_job_that_has_completed() {
    let fails_once = || {
        let runs = std::sync::atomic::AtomicU32::new(0);
        service_fn(move |cx: Context| {
            let first = runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
            async move {
                if first {
                    tokio::time::sleep(SECOND).await;
                    return Err("lost");
                }
                cx.cancelled().await;
                Ok(())
            }
        })
    };
    let group = Group::builder("app")
        .backoff(Backoff::none())
        .with("migrate", once(async |_cx| ()))
        .then(
            "cache",
            service_fn(async |cx: Context| cx.cancelled().await),
        )
        .then(
            "http",
            Member::new(fails_once()).on_failure(OnFailure::RestartAll),
        );
    let app = Runner::new(group.build().unwrap());
    app.start().await.unwrap();
    tokio::time::sleep(2 * SECOND).await;
    assert!(app.is_ready(), "{}", app.status());
    assert_eq!(app.service().get("migrate").unwrap().status().cycles(), 1);
    assert_eq!(app.service().get("cache").unwrap().status().restarts(), 1);
    app.stop().await.unwrap();
}
