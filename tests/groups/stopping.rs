//! The stop of a group: in reverse, side by side, and within its deadline.

use startstop_core::{Exit, Group, Member, StartError, State, StopError};
use tokio::time::Instant;

use crate::support::groups::{
    Act, Broken, Journal, built, find, outcome, start, started, stop, stopped, two,
};
use crate::support::{idle, within};

#[tokio::test(start_paused = true)]
async fn members_stop_in_reverse_and_side_by_side() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a").stops_in(1))
            .with("b", journal.probe("b").stops_in(1))
            .with(
                "c",
                Member::new(journal.probe("c").stops_in(3)).after(["a"]),
            )
            .with(
                "d",
                Member::new(journal.probe("d").stops_in(4)).after(["a", "b"]),
            ),
    )
    .await;
    let begun = Instant::now();
    stopped(&app).await;
    let at = |line| journal.seconds(begun, line);
    assert_eq!((at("~c"), at("~d"), at("~a"), at("~b")), (0, 0, 4, 4));
    assert_eq!(begun.elapsed().as_secs(), 5);
    assert_eq!(within(app.wait()).await, Exit::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_completed_job_between_two_keeps_their_order() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .with(
                "job",
                Member::new(journal.probe("job").job().always(Act::Complete)).after(["a"]),
            )
            .with(
                "b",
                Member::new(journal.probe("b").stops_in(2)).after(["job"]),
            ),
    )
    .await;
    journal.take();
    stopped(&app).await;
    assert_eq!(journal.take(), ["~b", "-b", "~a", "-a"]);
}

#[tokio::test(start_paused = true)]
async fn all_stop_failures_of_a_group_are_kept() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a").fails_to_stop())
            .then("b", journal.probe("b").lingers())
            .then("c", journal.probe("c").fails_to_stop()),
    )
    .await;
    let error = within(app.stop()).await.unwrap_err();
    assert!(matches!(error, StopError::Failed(_)), "{error:?}");
    let history = app.history();
    let broken: Vec<Option<&Broken>> = history.entries().iter().map(|f| find(f)).collect();
    let named = |name: &str| Broken(name.to_owned());
    assert_eq!(
        broken,
        [Some(&named("c")), None, Some(&named("a"))],
        "{history:?}"
    );
    assert_eq!(within(app.wait()).await, Exit::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_stop_during_start_up_stops_what_has_started() {
    let journal = Journal::new();
    let app = built(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .then("b", journal.probe("b").explicit())
            .then("c", journal.probe("c")),
    );
    let call = start(&app).await;
    stopped(&app).await;
    let error = outcome(call).await.unwrap_err();
    assert!(matches!(error, StartError::Stopped), "{error:?}");
    assert_eq!(journal.take(), ["+a", "+b", "~b", "-b", "~a", "-a"]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_right_after_a_start_is_not_lost() {
    let journal = Journal::new();
    let app = built(Group::builder("app").with("a", journal.probe("a")));
    app.request_start();
    stopped(&app).await;
    idle().await;
    assert_eq!(journal.live(), 0);
    assert_eq!(app.state(), State::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_fails_while_the_group_stops_is_not_waited_for() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .then("b", journal.probe("b"))
            .then("c", journal.probe("c").lingers()),
    )
    .await;
    let call = stop(&app).await;
    journal.tell("b", Act::Fail);
    idle().await;
    assert_eq!(journal.moves(), ["+a", "+b", "+c", "-b"]);
    journal.tell("c", Act::Complete);
    let error = outcome(call)
        .await
        .expect_err("b failed after the stop had begun");
    assert_eq!(find::<Broken>(&error), Some(&Broken("b".into())));
    assert_eq!(journal.moves(), ["-c", "-a"]);
}

#[tokio::test(start_paused = true)]
async fn the_last_handle_of_a_group_that_is_dropped_stops_the_group() {
    let journal = Journal::new();
    let app = two(&journal).await;
    drop(app);
    journal.until("-a").await;
    assert_eq!(journal.moves(), ["+a", "+b", "-b", "-a"]);
}
