//! The deadlines of a stop: those of the members and that of the group.

use startstop_core::{Cause, Exit, Group, Settings, State};
use tokio::time::Instant;

use super::support::{Journal, SECOND, outcome, started, stop, within};

#[tokio::test(start_paused = true)]
async fn a_member_deadline_is_what_is_left_of_the_groups() {
    let journal = Journal::new();
    let timeout = |seconds| Settings::new().stop_timeout(seconds * SECOND);
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a").lingers().settings(timeout(30)))
            .then("b", journal.probe("b").lingers().settings(timeout(4))),
    )
    .await;
    let begun = Instant::now();
    within(app.stop_within(10 * SECOND)).await.unwrap_err();
    assert_eq!(journal.seconds(begun, "-b"), 4);
    assert_eq!(journal.seconds(begun, "-a"), 10);
    assert_eq!(app.state(), State::Stopped);
    assert_eq!(journal.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_group_deadline_falls_on_all_that_are_left() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .settings(Settings::new().stop_timeout(2 * SECOND))
            .with("a", journal.probe("a").lingers())
            .then("b", journal.probe("b").lingers())
            .then("c", journal.probe("c").lingers()),
    )
    .await;
    let begun = Instant::now();
    within(app.stop()).await.unwrap_err();
    assert_eq!(begun.elapsed().as_secs(), 2);
    assert_eq!(app.state(), State::Stopped);
    assert_eq!(journal.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stop_in_progress_can_be_shortened() {
    let journal = Journal::new();
    let settings = Settings::new().stop_timeout(60 * SECOND);
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a").lingers().settings(settings.clone()))
            .then("b", journal.probe("b").lingers().settings(settings)),
    )
    .await;
    let begun = Instant::now();
    let call = stop(&app).await;
    within(app.stop_within(3 * SECOND)).await.unwrap_err();
    outcome(call).await.unwrap_err();
    assert_eq!(begun.elapsed().as_secs(), 3);
    assert_eq!(journal.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_hangs_is_aborted_and_the_rest_stops_well() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .then("b", journal.probe("b").lingers())
            .then("c", journal.probe("c")),
    )
    .await;
    let begun = Instant::now();
    within(app.stop()).await.unwrap_err();
    assert_eq!(begun.elapsed().as_secs(), 5);
    let failure = app.service().get("b").unwrap().errors_last().unwrap();
    assert_eq!(failure.cause(), Cause::TimedOut);
    assert_eq!(journal.moves(), ["+a", "+b", "+c", "-c", "-b", "-a"]);
}

#[tokio::test(start_paused = true)]
async fn an_abort_of_a_group_leaves_no_member_running() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a").lingers())
            .then("b", journal.probe("b").lingers())
            .with("c", journal.probe("c")),
    )
    .await;
    let begun = Instant::now();
    within(app.stop_within(std::time::Duration::ZERO)).await.unwrap();
    assert_eq!(journal.live(), 0);
    assert_eq!(app.state(), State::Stopped);
    assert_eq!(within(app.wait()).await, Exit::Aborted);
    assert_eq!(begun.elapsed().as_secs(), 0);
    for name in ["a", "b", "c"] {
        assert_eq!(app.service().get(name).unwrap().state(), State::Stopped);
    }
}
