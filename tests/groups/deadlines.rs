//! The deadlines of a stop: those of the members and that of the group.

use std::sync::Arc;
use std::time::Duration;

use startstop_core::{
    BoxError, Cause, Context, Exit, Group, Runner, Settings, State, StopError, service_fn,
    service_fn_with,
};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::support::groups::{Journal, aborted, begin, outcome, started, stop};
use crate::support::{SECOND, idle, within};

#[tokio::test(start_paused = true)]
async fn a_member_deadline_is_its_share_of_the_groups() {
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
    assert_eq!(
        journal.seconds(begun, "-b"),
        1,
        "6 of 36, the abort included"
    );
    assert_eq!(journal.seconds(begun, "-a"), 10);
    for name in ["a", "b"] {
        let failure = app.service().get(name).unwrap().errors_last().unwrap();
        assert_eq!(failure.cause(), Cause::TimedOut, "{name}");
    }
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

/// How many seconds a member took that hangs and is stopped within so many, while its group stops within three.
async fn stopped_beside_the_group(seconds: u32) -> u64 {
    let journal = Journal::new();
    let app = started(Group::builder("app").with("a", journal.probe("a").lingers())).await;
    let member = app.service().get("a").unwrap();
    let begun = Instant::now();
    let whole = app.clone();
    let stopping = begin(async move { whole.stop_within(3 * SECOND).await }).await;
    assert!(matches!(
        within(member.stop_within(seconds * SECOND)).await,
        Err(StopError::TimedOut)
    ));
    outcome(stopping).await.unwrap_err();
    assert_eq!((app.state(), journal.live()), (State::Stopped, 0));
    journal.seconds(begun, "-a")
}

#[tokio::test(start_paused = true)]
async fn a_member_can_be_stopped_sooner_than_its_group_asks() {
    assert_eq!(stopped_beside_the_group(1).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_member_cannot_be_stopped_later_than_its_group_asks() {
    assert_eq!(stopped_beside_the_group(4).await, 3);
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
    aborted(&app).await;
    assert_eq!(journal.live(), 0);
    assert_eq!(app.state(), State::Stopped);
    assert_eq!(within(app.wait()).await, Exit::Aborted);
    assert_eq!(begun.elapsed().as_secs(), 0);
    for name in ["a", "b", "c"] {
        assert_eq!(app.service().get(name).unwrap().state(), State::Stopped);
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_is_told_how_much_time_the_group_has_left() {
    let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let member = service_fn(async |cx: Context| cx.cancelled().await).on_shutdown(move |cx| {
        let _ = told.send(cx.remaining());
        async {}
    });
    let settings = Settings::new().stop_timeout(60 * SECOND);
    let app = started(Group::builder("app").with("a", Runner::with_settings(member, settings)));
    let app = app.await;
    within(app.stop_within(3 * SECOND)).await.unwrap();
    assert_eq!(hears.recv().await, Some(Some(3 * SECOND)));
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_stopping_keeps_its_earlier_deadline() {
    let journal = Journal::new();
    let app = started(Group::builder("app").with("a", journal.probe("a").lingers())).await;
    let begun = Instant::now();
    let member = app.service().get("a").unwrap();
    let first = begin(async move { member.stop_within(SECOND).await }).await;
    within(app.stop_within(3 * SECOND)).await.unwrap_err();
    outcome(first).await.unwrap_err();
    assert_eq!(begun.elapsed().as_secs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_ends_by_itself_is_aborted_at_the_deadline_of_the_group() {
    let journal = Journal::new();
    let end = Arc::new(Notify::new());
    let job = service_fn_with(Arc::clone(&end), async |end, cx| {
        end.notified().await;
        cx.spawn(std::future::pending::<()>());
    });
    let settings = Settings::new().stop_timeout(60 * SECOND);
    let app = started(
        Group::builder("app")
            .with("a", Runner::with_settings(job, settings.clone()))
            .then("b", journal.probe("b").lingers().settings(settings)),
    )
    .await;
    end.notify_one();
    idle().await;
    let job = app.service().get("a").unwrap();
    assert_eq!(job.state(), State::Stopping);
    let begun = Instant::now();
    within(app.stop_within(3 * SECOND)).await.unwrap_err();
    assert_eq!(
        (begun.elapsed().as_secs(), job.state()),
        (3, State::Stopped)
    );
    assert_eq!(job.status().last_exit(), Exit::Aborted);
    let failure = job.errors_last().expect("it had its turn");
    assert_eq!(failure.cause(), Cause::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn an_attached_runner_is_told_the_deadline_of_the_attempt() {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let service = service_fn(move |cx: Context| {
        let tell = tell.clone();
        async move {
            cx.cancelled().await;
            tell.send(cx.remaining()).unwrap();
        }
    });
    for (allowed, left) in [(None, Some(60)), (Some(3), Some(3))] {
        let part =
            Runner::with_settings(service.clone(), Settings::new().stop_timeout(60 * SECOND));
        let attached = part.clone();
        let app = Runner::with_settings(
            service_fn(move |cx: Context| {
                let part = attached.clone();
                async move {
                    cx.attach("part", &part)?;
                    part.start().await?;
                    cx.cancelled().await;
                    Ok::<(), BoxError>(())
                }
            }),
            Settings::new().stop_timeout(Duration::MAX),
        );
        within(app.start()).await.unwrap();
        within(part.wait_for(State::Running)).await;
        let allowed = allowed.map_or(Duration::MAX, Duration::from_secs);
        within(app.stop_within(allowed)).await.unwrap();
        let left = left.map(Duration::from_secs);
        assert_eq!(within(told.recv()).await, Some(left));
    }
}
