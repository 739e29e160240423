//! Failures while something else is under way.

use startstop_core::{Exit, Group, Member, OnFailure};

use crate::support::groups::{
    Act, Broken, Journal, aborted, beside, built, ended_by, find, half_started, on, outcome,
    remove, restarting, start, started, stop, stopped,
};
use crate::support::{SECOND, idle, within};

#[tokio::test(start_paused = true)]
async fn a_failure_while_another_starts_stops_that_first() {
    let journal = Journal::new();
    let (app, call) = half_started(&journal).await;
    journal.tell("a", Act::Fail);
    idle().await;
    assert_eq!(journal.take(), ["+a", "+b", "-a", "~b", "-b", "+a", "+b"]);
    assert!(!call.is_finished());
    journal.tell("b", Act::Ready);
    outcome(call).await.unwrap();
    assert_eq!(journal.take(), ["+c"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_failure_ends_the_group_while_another_starts() {
    let journal = Journal::new();
    let app = built(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .with("b", journal.probe("b").explicit())
            .then("c", journal.probe("c")),
    );
    let call = start(&app).await;
    journal.tell("a", Act::Fail);
    let error = outcome(call).await.unwrap_err();
    assert_eq!(find::<Broken>(&error), Some(&Broken("a".into())));
    assert_eq!((journal.live(), journal.count("+c")), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn failures_meanwhile_merge_into_the_same_restart() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .limit(1, 600 * SECOND)
            .with("a", on(OnFailure::RestartDependents, journal.probe("a")))
            .with("b", Member::new(journal.probe("b").lingers()).after(["a"]))
            .with("x", on(OnFailure::RestartDependents, journal.probe("x")))
            .with("y", Member::new(journal.probe("y").lingers()).after(["x"])),
    )
    .await;
    journal.take();
    journal.tell("a", Act::Fail);
    idle().await;
    journal.tell("x", Act::Fail);
    idle().await;
    assert_eq!(journal.take(), ["-a", "~b", "-x", "~y"]);
    journal.tell("b", Act::Complete);
    idle().await;
    assert_eq!(journal.take(), ["-b"], "the restart is not over");
    journal.tell("y", Act::Complete);
    idle().await;
    let mut lines = journal.take();
    lines.sort();
    assert_eq!(lines, ["+a", "+b", "+x", "+y", "-y"]);
    assert!(app.is_running());
    app.request_stop();
    idle().await;
    journal.tell("b", Act::Complete);
    journal.tell("y", Act::Complete);
    within(app.wait()).await;
}

#[tokio::test(start_paused = true)]
async fn a_failure_on_the_way_down_is_part_of_the_restart() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .limit(1, 600 * SECOND)
            .with("a", on(OnFailure::RestartDependents, journal.probe("a")))
            .then("b", on(OnFailure::RestartDependents, journal.probe("b")))
            .then("c", journal.probe("c").lingers()),
    )
    .await;
    journal.take();
    journal.tell("a", Act::Fail);
    idle().await;
    journal.tell("b", Act::Fail);
    idle().await;
    assert_eq!(journal.take(), ["-a", "~c", "-b"]);
    journal.tell("c", Act::Fail);
    idle().await;
    assert_eq!(journal.take(), ["-c", "+a", "+b", "+c"]);
    assert!(app.is_running());
    aborted(&app).await;
}

#[tokio::test(start_paused = true)]
async fn two_that_fail_at_the_same_instant_restart_once() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", on(OnFailure::RestartAll, journal.probe("a")))
            .with("b", on(OnFailure::RestartAll, journal.probe("b")))
            .then("c", journal.probe("c").stops_in(1)),
    )
    .await;
    journal.tell("a", Act::Fail);
    journal.tell("b", Act::Fail);
    tokio::time::sleep(5 * SECOND).await;
    assert_eq!(
        [
            journal.count("+a"),
            journal.count("+b"),
            journal.count("+c")
        ],
        [2, 2, 2]
    );
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn two_that_end_the_group_at_the_same_instant_are_both_on_record() {
    let journal = Journal::new();
    let app = beside(&journal).await;
    journal.tell("a", Act::Fail);
    journal.tell("b", Act::Fail);
    assert_eq!(within(app.wait()).await, Exit::Failed);
    for name in ["a", "b"] {
        let failure = app.service().get(name).unwrap().errors_last().unwrap();
        assert_eq!(find::<Broken>(&failure), Some(&Broken(name.into())));
    }
}

#[tokio::test(start_paused = true)]
async fn stop_group_wins_over_a_restart_under_way() {
    let journal = Journal::new();
    let app = restarting(&journal, &["x"]).await;
    journal.tell("x", Act::Fail);
    idle().await;
    journal.tell("b", Act::Complete);
    ended_by(&app, "x").await;
    assert_eq!((journal.count("+a"), journal.live()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_one_that_is_being_removed_is_its_own() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .with("b", journal.probe("b").lingers()),
    )
    .await;
    let call = remove(&app, "b").await;
    journal.tell("b", Act::Fail);
    let error = outcome(call).await.unwrap_err();
    assert_eq!(find::<Broken>(&error), Some(&Broken("b".into())));
    assert!(app.is_running());
    assert_eq!(app.service().members(), ["a"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_waits_to_be_removed_goes_down_before_what_it_depends_on() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", on(OnFailure::RestartDependents, journal.probe("a")))
            .with("b", Member::new(journal.probe("b").lingers()).after(["a"]))
            .with("x", on(OnFailure::RestartDependents, journal.probe("x")))
            .with("y", Member::new(journal.probe("y")).after(["x"]))
            .with("z", Member::new(journal.probe("z").lingers()).after(["y"])),
    )
    .await;
    journal.tell("a", Act::Fail);
    idle().await;
    let removal = remove(&app, "z").await;
    journal.take();
    journal.tell("x", Act::Fail);
    idle().await;
    assert_eq!(journal.take(), ["-x", "~z"]);
    journal.tell("z", Act::Complete);
    outcome(removal).await.unwrap();
    idle().await;
    assert_eq!(journal.take(), ["-z", "~y", "-y"]);
    journal.tell("b", Act::Complete);
    idle().await;
    assert_eq!(journal.take()[0], "-b");
    assert_eq!(app.service().members(), ["a", "b", "x", "y"]);
    let call = stop(&app).await;
    journal.tell("b", Act::Complete);
    outcome(call).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_down_keeps_what_it_depends_on_for_those_that_depend_on_it() {
    let journal = Journal::new();
    let b = on(OnFailure::RestartMember, journal.probe("b")).after(["a"]);
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .with("b", b)
            .with("c", Member::new(journal.probe("c").lingers()).after(["b"]))
            .with("x", on(OnFailure::RestartDependents, journal.probe("x")))
            .with("y", Member::new(journal.probe("y").lingers()).after(["x"])),
    )
    .await;
    journal.tell("x", Act::Fail);
    idle().await;
    journal.tell("b", Act::Fail);
    idle().await;
    journal.take();
    let call = stop(&app).await;
    journal.tell("y", Act::Complete);
    idle().await;
    assert_eq!(journal.take(), ["~c", "-y"]);
    journal.tell("c", Act::Complete);
    outcome(call).await.unwrap();
    assert_eq!(journal.take(), ["-c", "~a", "-a"]);
}
