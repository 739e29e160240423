//! Runners that a service attaches to its attempt.

use std::sync::Arc;
use std::time::Duration;

use startstop_core::{
    AttachError, BoxError, Context, EventKind, Exit, Group, Runner, Service, Settings, StartError,
    State, StopReason, service_fn,
};
use tokio::time::Instant;

use crate::support::groups::{Act, Journal, Probe, Release, aborted, begin, outcome};
use crate::support::{SECOND, idle, within};

/// Attaches a probe under `part` and starts it; ends when it is told to.
fn whole(part: &Runner<Probe>, settings: Settings) -> Runner<impl Service + use<>> {
    let part = part.clone();
    let service = service_fn(move |cx: Context| {
        let part = part.clone();
        async move {
            cx.attach("part", &part)?;
            part.start().await?;
            cx.ready();
            cx.cancelled().await;
            Ok::<(), BoxError>(())
        }
    });
    let explicit = Settings::new()
        .readiness(startstop_core::Readiness::Explicit)
        .name("app");
    Runner::with_settings(service, settings.or(explicit))
}

fn part(journal: &Journal) -> Runner<Probe> {
    Runner::new(journal.probe("part"))
}

async fn started(
    journal: &Journal,
    settings: Settings,
) -> (Runner<impl Service + use<>>, Runner<Probe>) {
    let part = part(journal);
    let app = whole(&part, settings);
    within(app.start()).await.unwrap();
    (app, part)
}

#[tokio::test(start_paused = true)]
async fn an_attached_runner_is_in_the_status_and_has_a_path_as_long_as_the_attempt_lasts() {
    let journal = Journal::new();
    let (app, part) = started(&journal, Settings::new()).await;
    let status = app.status();
    assert_eq!(status.children()[0].path(), "app/part");
    assert!(app.find("app/part").unwrap().is_running());
    journal.tell("part", Act::Fail);
    within(part.wait()).await;
    assert_eq!(part.errors_last().unwrap().path(), "app/part");
    within(app.stop()).await.unwrap();
    assert!(app.status().children().is_empty());
    assert!(app.find("app/part").is_none());
    within(app.start()).await.unwrap();
    assert_eq!(app.status().children().len(), 1, "it is attached anew");
    within(app.stop()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_attached_runner_is_stopped_with_the_attempt_which_ends_after_it() {
    let journal = Journal::new();
    let part = Runner::new(journal.probe("part").stops_in(2));
    let app = whole(&part, Settings::new());
    within(app.start()).await.unwrap();
    let begun = Instant::now();
    within(app.stop()).await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 2);
    assert_eq!(
        (part.state(), app.state()),
        (State::Stopped, State::Stopped)
    );
    assert_eq!(within(part.wait()).await, Exit::Stopped);
}

#[tokio::test(start_paused = true)]
async fn an_attached_runner_is_aborted_at_the_deadline_of_the_attempt() {
    let journal = Journal::new();
    let settings = Settings::new().stop_timeout(60 * SECOND);
    let part = Runner::new(journal.probe("part").lingers().settings(settings));
    let app = whole(&part, Settings::new());
    within(app.start()).await.unwrap();
    let begun = Instant::now();
    within(app.stop_within(3 * SECOND)).await.unwrap_err();
    assert_eq!(journal.seconds(begun, "-part"), 3);
    assert_eq!((app.state(), journal.live()), (State::Stopped, 0));
    within(app.start()).await.unwrap();
    aborted(&app).await;
    assert_eq!((part.state(), journal.live()), (State::Stopped, 0));
}

#[tokio::test(start_paused = true)]
async fn an_attached_runner_stops_also_when_the_service_ends_or_fails_by_itself() {
    for fails in [None, Some("broken")] {
        let journal = Journal::new();
        let part = part(&journal);
        let attached = part.clone();
        let app = Runner::new(service_fn(move |cx: Context| {
            let part = attached.clone();
            async move {
                part.start().await?;
                cx.attach("part", &part)?; // attached after its start
                fails.map_or(Ok(()), |error| Err(BoxError::from(error)))
            }
        }));
        within(app.start()).await.unwrap();
        within(app.wait()).await;
        assert_eq!(part.state(), State::Stopped);
        assert_eq!(journal.moves(), ["+part", "-part"]);
    }
}

#[tokio::test(start_paused = true)]
async fn once_the_attempt_is_to_end_it_cannot_be_started_again() {
    let journal = Journal::new();
    let part = Runner::new(journal.probe("part").stops_in(2));
    let app = whole(&part, Settings::new());
    within(app.start()).await.unwrap();
    let stopping = app.clone();
    let call = begin(async move { stopping.stop().await }).await;
    let again = part.clone();
    let start = begin(async move { again.start().await }).await;
    outcome(call).await.unwrap();
    assert!(matches!(outcome(start).await, Err(StartError::Stopped)));
    assert_eq!((part.state(), journal.count("+part")), (State::Stopped, 1));
    within(part.start()).await.unwrap();
    within(part.stop()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_attached_runner_drains_with_the_service() {
    let journal = Journal::new();
    let (app, part) = started(&journal, Settings::new().drain(5 * SECOND)).await;
    let begun = Instant::now();
    app.request_stop();
    assert_eq!((part.state(), part.is_ready()), (State::Running, false));
    within(app.wait()).await;
    assert_eq!(journal.seconds(begun, "~part"), 5);
}

#[tokio::test(start_paused = true)]
async fn an_attached_runners_drain_and_its_abort_count_in_the_grace_period() {
    let journal = Journal::new();
    let settings = Settings::new().drain(4 * SECOND).abort_timeout(9 * SECOND);
    let part = Runner::new(journal.probe("part").settings(settings));
    let app = whole(&part, Settings::new());
    assert_eq!(app.grace_period(), 7 * SECOND);
    within(app.start()).await.unwrap();
    assert_eq!(
        app.grace_period(),
        18 * SECOND,
        "4 to drain, 5 to stop, 9 for its abort"
    );
    within(app.stop()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_attached_runners_events_are_those_of_a_part() {
    let journal = Journal::new();
    let part = part(&journal);
    let app = whole(&part, Settings::new());
    let mut events = app.events();
    within(app.start()).await.unwrap();
    within(app.stop()).await.unwrap();
    let mut told = Vec::new();
    while let Some(event) = events.try_next() {
        let word = match event.kind() {
            EventKind::Inserted => "inserted",
            EventKind::Starting => "starting",
            EventKind::Ready { .. } => "ready",
            EventKind::Stopping(StopReason::Requested | StopReason::Group) => "stopping",
            EventKind::Stopped { .. } => "stopped",
            EventKind::Removed => "removed",
            other => panic!("{other:?}"),
        };
        told.push(format!("{} {word}", event.path()));
    }
    let expected = [
        "app starting",
        "app/part inserted",
        "app/part starting",
        "app/part ready",
        "app ready",
        "app stopping",
        "app/part stopping",
        "app/part stopped",
        "app/part removed",
        "app stopped",
    ];
    assert_eq!(told, expected);
}

#[tokio::test(start_paused = true)]
async fn names_that_are_taken_and_circles_are_refused() {
    let journal = Journal::new();
    let (one, two) = (
        Runner::new(journal.probe("one")),
        Runner::new(journal.probe("two")),
    );
    let slot = Arc::new(std::sync::OnceLock::<Runner<Group>>::new());
    let seen = Arc::clone(&slot);
    let service = service_fn(move |cx: Context| {
        let (one, two, group) = (one.clone(), two.clone(), Arc::clone(&seen));
        async move {
            cx.attach("one", &one).unwrap();
            let taken = AttachError::DuplicateName { name: "one".into() };
            assert_eq!(cx.attach("one", &two), Err(taken));
            let twice = AttachError::DuplicateName { name: "two".into() };
            assert_eq!(cx.attach("two", &one), Err(twice));
            for name in ["", "a/b"] {
                let invalid = AttachError::InvalidName { name: name.into() };
                assert_eq!(cx.attach(name, &two), Err(invalid));
            }
            let path = ["x", "member"].map(String::from).to_vec();
            assert_eq!(
                cx.attach("x", group.get().unwrap()),
                Err(AttachError::Cycle { path })
            );
            cx.cancelled().await;
        }
    });
    let app = Runner::new(
        Group::builder("app")
            .with("member", service)
            .build()
            .unwrap(),
    );
    slot.set(app.clone()).unwrap();
    within(app.start()).await.unwrap();
    idle().await;
    within(app.stop()).await.unwrap();
    assert!(app.errors_list().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_context_that_has_outlived_its_attempt_attaches_nothing() {
    let journal = Journal::new();
    let (told, hears) = std::sync::mpsc::channel();
    let app = Runner::new(service_fn(move |cx: Context| {
        told.send(cx.clone()).unwrap();
        async move { cx.cancelled().await }
    }));
    within(app.start()).await.unwrap();
    idle().await;
    within(app.stop()).await.unwrap();
    let part = part(&journal);
    assert_eq!(
        hears.recv().unwrap().attach("part", &part),
        Err(AttachError::Ended)
    );
    let detached = Context::detached(tokio_util::sync::CancellationToken::new());
    assert_eq!(detached.attach("part", &part), Ok(()));
}

/// Releases what blocks at the end of a test, also of one that fails.
struct Guard(Release);

impl Drop for Guard {
    fn drop(&mut self) {
        *self.0.0.lock().expect("nobody panics under it") = true;
        self.0.1.notify_all();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_attached_runner_that_does_not_yield_makes_the_attempt_unresponsive() {
    let journal = Journal::new();
    let guard = Guard(Release::default());
    let short = Duration::from_millis(50);
    let hasty = Settings::new().stop_timeout(short).abort_timeout(short);
    let part = Runner::new(journal.probe("part").blocks(&guard.0).settings(hasty));
    let app = whole(&part, Settings::new());
    within(app.start()).await.unwrap();
    journal.until("+part").await;
    let error = within(app.stop()).await.unwrap_err();
    assert!(
        matches!(error, startstop_core::StopError::Unresponsive(_)),
        "{error:?}"
    );
    assert_eq!(app.state(), State::Stopping);
    drop(guard);
    within(app.wait()).await;
    assert_eq!(journal.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_attached_runner_that_has_ended_is_taken_out_again() {
    let journal = Journal::new();
    let [first, second] = ["first", "second"].map(|name| Runner::new(journal.probe(name)));
    let parts = [first.clone(), second.clone()];
    let (tells, hears) = std::sync::mpsc::channel();
    let app = Runner::new(service_fn(move |cx: Context| {
        let ([first, second], tells) = (parts.clone(), tells.clone());
        async move {
            assert!(!cx.detach(&first), "it is no part");
            cx.attach("part", &first)?;
            first.start().await?;
            assert!(!cx.detach(&first), "it runs");
            first.stop().await?;
            assert!(cx.detach(&first));
            assert!(!cx.detach(&first), "it is no part any more");
            cx.attach("part", &second)?;
            second.start().await?;
            tells.send(cx.clone())?;
            cx.cancelled().await;
            Ok::<(), BoxError>(())
        }
    }));
    let mut events = app.events();
    within(app.start()).await.unwrap();
    within(second.wait_for(State::Running)).await;
    assert_eq!(app.status().children().len(), 1);
    // A part that was taken out can be started without the attempt.
    within(first.start()).await.unwrap();
    within(app.stop()).await.unwrap();
    assert_eq!(
        (first.state(), second.state()),
        (State::Running, State::Stopped)
    );
    assert!(
        !hears.recv().unwrap().detach(&second),
        "the attempt has ended"
    );
    within(first.stop()).await.unwrap();
    let mut removed = 0;
    while let Some(event) = within(events.next()).await {
        removed += usize::from(matches!(event.kind(), EventKind::Removed));
        if event.path() == app.name() && matches!(event.kind(), EventKind::Stopped { .. }) {
            break;
        }
    }
    assert_eq!(removed, 2);
}
