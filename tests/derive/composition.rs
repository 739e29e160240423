//! Structs of runners, composed by the derive: order, restarts, handles, status and settings.

use std::time::Duration;

use startstop_core::{
    BoxError, Context, EventKind, Exit, OnCompletion, OnFailure, Readiness, Runner, Service,
    Settings, StartError, State, Status,
};
use tokio::sync::Notify;

use super::Events;
use crate::support::{idle, within};

/// Emits its name when it starts and when it ends.
#[derive(Debug, Default, Service)]
#[service(start = serve)]
struct Part {
    events: Events,
    begins: &'static str,
    ends: &'static str,
    fail: Notify,
    complete: Notify,
}

impl Part {
    async fn serve(&self, cx: Context) -> Result<(), BoxError> {
        self.events.emit(self.begins);
        tokio::select! {
            () = cx.cancelled() => {}
            () = self.complete.notified() => {}
            () = self.fail.notified() => return Err("out of luck".into()),
        }
        self.events.emit(self.ends);
        Ok(())
    }
}

fn part(events: &Events, begins: &'static str, ends: &'static str) -> Runner<Part> {
    Runner::new(Part {
        events: events.clone(),
        begins,
        ends,
        ..Part::default()
    })
}

#[derive(Debug, Service)]
struct App {
    #[service(member(on_failure = restart_dependents))]
    db: Runner<Part>,
    events: Events,
    #[service(member, after())]
    cache: Runner<Part>,
    #[service(member, after(db, cache))]
    r#type: Runner<Part>,
    #[service(member(on_completion = OnCompletion::StopGroup))]
    http: Runner<Part>,
}

fn app() -> Runner<App> {
    let events = Events::default();
    Runner::new(App {
        db: part(&events, "db", "-db"),
        cache: part(&events, "cache", "-cache"),
        r#type: part(&events, "type", "-type"),
        http: part(&events, "http", "-http"),
        events,
    })
}

fn names(status: &Status) -> Vec<&str> {
    status.children().iter().map(Status::name).collect()
}

#[tokio::test(start_paused = true)]
async fn members_start_in_order_and_stop_in_reverse() {
    let app = app();
    app.start().await.unwrap();
    assert_eq!(
        app.service().events.taken(),
        ["db", "cache", "type", "http"]
    );
    app.stop().await.unwrap();
    let ended = app.service().events.taken();
    assert_eq!(ended[..2], ["-http", "-type"]);
    assert_eq!(ended.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_composed_service_starts_again() {
    let app = app();
    for cycle in 1..=3 {
        app.start().await.unwrap();
        assert_eq!(app.service().http.status().cycles(), cycle);
        app.stop().await.unwrap();
        assert!(!app.service().db.is_running());
    }
    assert_eq!(app.wait().await, Exit::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_failure_restarts_those_that_depend_on_it() {
    let app = app();
    app.start().await.unwrap();
    app.service().events.taken();
    app.service().db.service().fail.notify_one();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(app.is_running());
    assert_eq!(
        app.service().events.taken(),
        ["-http", "-type", "db", "type", "http"]
    );
    assert_eq!(app.service().cache.status().cycles(), 1);
    app.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_is_not_handled_is_that_of_the_whole() {
    let app = app();
    app.start().await.unwrap();
    app.service().r#type.service().fail.notify_one();
    assert_eq!(within(app.wait()).await, Exit::Failed);
    assert!(format!("{:?}", app.errors_last().unwrap()).contains("out of luck"));
    assert!(!app.service().db.is_running());
}

#[tokio::test(start_paused = true)]
async fn a_completion_may_end_the_whole() {
    let app = app();
    app.start().await.unwrap();
    app.service().http.service().complete.notify_one();
    assert_eq!(within(app.wait()).await, Exit::Completed);
    assert!(!app.service().db.is_running());
}

#[tokio::test(start_paused = true)]
async fn fields_of_a_composed_service_stay_handles() {
    let app = app();
    app.start().await.unwrap();
    let App { http, cache, .. } = app.service();
    http.restart().await.unwrap();
    cache.stop().await.unwrap();
    assert!(app.is_running());
    assert!(http.is_running());
    assert!(!cache.is_running());
    cache.start().await.unwrap();
    app.stop().await.unwrap();
    assert!(!cache.is_running());
}

#[tokio::test(start_paused = true)]
async fn the_status_shows_the_fields_as_they_are_declared() {
    let app = app();
    assert_eq!(app.name(), "App");
    assert_eq!(names(&app.status()), ["db", "cache", "type", "http"]);
    let children = app.service().children();
    assert_eq!(
        children.iter().map(Status::name).collect::<Vec<_>>(),
        names(&app.status())
    );
    app.start().await.unwrap();
    assert!(
        app.status()
            .children()
            .iter()
            .all(|child| child.state() == State::Running)
    );
    app.stop().await.unwrap();
}

#[derive(Debug, Service)]
struct Chain(
    #[service(member)] Runner<Part>,
    #[service(member(on_failure = RestartMember))] Runner<Part>,
    #[service(member(on_failure = self.3), after(0))] Runner<Part>,
    OnFailure,
);

#[tokio::test(start_paused = true)]
async fn a_tuple_names_its_members_by_number() {
    let events = Events::default();
    let (a, b) = (part(&events, "0", "-0"), part(&events, "1", "-1"));
    let chain = Chain(a, b, part(&events, "2", "-2"), OnFailure::Ignore);
    let chain = Runner::new(chain);
    assert_eq!(names(&chain.status()), ["0", "1", "2"]);
    chain.start().await.unwrap();
    assert_eq!(events.taken()[0], "0");
    chain.service().2.service().fail.notify_one();
    chain.service().1.service().fail.notify_one();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(chain.is_running());
    assert!(!chain.service().2.is_running());
    assert_eq!(chain.service().1.status().cycles(), 2);
    chain.stop().await.unwrap();
}

#[derive(Debug, thiserror::Error)]
#[error("a part failed")]
struct Whole(#[source] BoxError);

impl From<BoxError> for Whole {
    fn from(error: BoxError) -> Self {
        Self(error)
    }
}

#[derive(Debug, Service)]
#[service(name = "set", stop_timeout = "10s", readiness = immediate, error = Whole)]
#[service(limit(1, "60s"))]
struct Set<S: Service + std::fmt::Debug> {
    #[service(member(on_failure = restart_all))]
    inner: Runner<S>,
}

#[test]
fn settings_come_before_the_defaults_of_a_group() {
    let settings = app().service().settings();
    let defaults = Settings::new()
        .readiness(Readiness::Explicit)
        .start_timeout(Duration::MAX)
        .stop_timeout(Duration::MAX);
    assert_eq!(format!("{settings:?}"), format!("{defaults:?}"));

    let set = Set { inner: app() };
    let settings = set.settings();
    assert_eq!(settings.get_name(), Some("set"));
    assert_eq!(settings.get_readiness(), Some(Readiness::Immediate));
    assert_eq!(settings.get_start_timeout(), Some(Duration::MAX));
    assert_eq!(settings.get_stop_timeout(), Some(Duration::from_secs(10)));
}

#[tokio::test(start_paused = true)]
async fn beyond_the_limit_the_whole_fails_with_its_own_error() {
    let events = Events::default();
    let set = Runner::new(Set {
        inner: part(&events, "inner", "-inner"),
    });
    set.start().await.unwrap();
    for _ in 0..2 {
        idle().await;
        set.service().inner.service().fail.notify_one();
    }
    assert_eq!(within(set.wait()).await, Exit::Failed);
    assert_eq!(set.service().inner.status().cycles(), 2);
    let failure = set.errors_last().unwrap();
    assert!(failure.error().is::<Whole>());
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_the_whole_has_that_of_a_group() {
    let app = app();
    app.start().await.unwrap();
    for _ in 0..11 {
        // Longer than any backoff, and too short for the counter to begin anew.
        tokio::time::sleep(Duration::from_secs(40)).await;
        app.service().db.service().fail.notify_one();
    }
    assert_eq!(within(app.wait()).await, Exit::Failed);
    assert_eq!(app.service().db.status().cycles(), 11);
}

#[tokio::test(start_paused = true)]
async fn composed_services_are_members_too() {
    let set = Runner::new(Set { inner: app() });
    set.start().await.unwrap();
    let status = set.status();
    assert_eq!(names(&status), ["inner"]);
    assert_eq!(
        names(&status.children()[0]),
        ["db", "cache", "type", "http"]
    );
    set.stop().await.unwrap();
    let app = set.service().inner.service();
    assert_eq!(app.events.taken().len(), 8);
}

#[derive(Debug, Service)]
#[service(start = serve, readiness = explicit)]
struct Broken;

impl Broken {
    async fn serve(&self) -> Result<(), BoxError> {
        Err("no port".into())
    }
}

#[derive(Debug, Service)]
struct Late {
    #[service(member)]
    first: Runner<Part>,
    #[service(member)]
    broken: Runner<Broken>,
    #[service(member)]
    last: Runner<Part>,
}

#[tokio::test(start_paused = true)]
async fn a_member_that_cannot_start_is_why_the_whole_does_not() {
    let events = Events::default();
    let late = Runner::new(Late {
        first: part(&events, "first", "-first"),
        broken: Runner::new(Broken),
        last: part(&events, "last", "-last"),
    });
    let error = late.start().await.unwrap_err();
    assert!(matches!(error, StartError::Failed(_)), "{error:?}");
    assert_eq!(events.taken(), ["first", "-first"]);
    assert_eq!(late.service().broken.status().cycles(), 1);
    assert_eq!(late.service().last.status().cycles(), 0);
}

#[derive(Debug, Service)]
struct Sessions {
    #[service(member)]
    server: Runner<Part>,
    #[service(member(transient), after())]
    session: Runner<Part>,
}

#[tokio::test(start_paused = true)]
async fn a_transient_member_of_a_struct_leaves_when_it_has_ended() {
    let events = Events::default();
    let app = Runner::new(Sessions {
        server: part(&events, "server", "-server"),
        session: part(&events, "session", "-session"),
    });
    app.start().await.unwrap();
    let mut told = app.events();
    app.service().session.service().complete.notify_one();
    let removed = async {
        while let Some(event) = told.next().await {
            if matches!(event.kind(), EventKind::Removed) {
                return event.path().to_owned();
            }
        }
        unreachable!("the runner is there")
    };
    assert_eq!(within(removed).await, "Sessions/session");
    assert!(app.is_running() && app.service().server.is_running());
    app.stop().await.unwrap();
}
