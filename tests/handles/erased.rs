//! Each method of a runner behind a trait object.

use std::sync::Arc;
use std::time::Duration;

use startstop_core::{Context, Group, Runner, Settings, StartStop, State, once, service_fn};
use tokio_util::sync::CancellationToken;

use crate::support::{SECOND, within};

fn erased() -> Arc<dyn StartStop> {
    Arc::new(Runner::new(service_fn(async |cx: Context| {
        cx.cancelled().await;
    })))
}

#[tokio::test(start_paused = true)]
async fn each_way_to_start_starts_a_trait_object() {
    let runner = erased();
    runner.start().await.unwrap();
    assert!(runner.is_running());
    runner.stop().await.unwrap();
    runner.ensure_running().await.unwrap();
    assert!(runner.is_running());
    runner.stop_within(SECOND).await.unwrap();
    assert!(runner.state() == State::Stopped && !runner.is_running());
    runner.restart().await.unwrap();
    assert!(runner.is_running());
    runner.restart().await.unwrap();
    assert_eq!(runner.status().cycles(), 4);
}

#[tokio::test(start_paused = true)]
async fn requests_to_a_trait_object_are_carried_out() {
    let runner = erased();
    runner.request_start();
    within(runner.wait_for(State::Running)).await;
    runner.request_restart();
    within(runner.wait_for(State::Stopped)).await;
    within(runner.wait_for(State::Running)).await;
    assert_eq!(runner.status().cycles(), 2);
    runner.request_stop();
    within(runner.wait_for(State::Stopped)).await;
}

#[tokio::test(start_paused = true)]
async fn the_end_of_its_parent_stops_it() {
    let (runner, parent) = (erased(), CancellationToken::new());
    runner.start_with(&parent).await.unwrap();
    assert!(runner.is_running());
    parent.cancel();
    within(runner.wait_for(State::Stopped)).await;
}

#[tokio::test(start_paused = true)]
async fn a_reload_reaches_the_service() {
    let (told, mut reloads) = tokio::sync::mpsc::unbounded_channel();
    let service = service_fn(move |cx: Context| {
        let told = told.clone();
        async move {
            cx.reloaded().await.done();
            told.send(()).unwrap();
            cx.cancelled().await;
        }
    });
    let runner: Arc<dyn StartStop> = Arc::new(Runner::new(service));
    runner.start().await.unwrap();
    runner.request_reload();
    assert!(within(reloads.recv()).await.is_some());
    runner.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn times_and_failures_are_told() {
    let job = once(async |_cx| Err::<(), _>("no such table"));
    let job: Arc<dyn StartStop> = Arc::new(Runner::with_settings(job, Settings::new().name("job")));
    job.start().await.unwrap_err();
    assert_eq!(
        job.errors_last().unwrap().error().to_string(),
        "no such table"
    );
    assert_eq!(
        (job.errors_list().len(), job.history().entries().len()),
        (1, 1)
    );
    assert_eq!((job.name(), job.is_ready()), ("job", false));
    let runner = erased();
    runner.start().await.unwrap();
    tokio::time::sleep(SECOND).await;
    assert!(runner.uptime() >= SECOND && runner.is_ready());
    runner.stop().await.unwrap();
    assert_eq!(runner.uptime(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_part_is_found_by_its_path_at_any_depth() {
    let inner = Group::builder("inner")
        .with("db", idle())
        .with("db2", idle())
        .build()
        .unwrap();
    let app = Runner::new(
        Group::builder("app")
            .with("store", inner)
            .with("http", idle())
            .build()
            .unwrap(),
    );
    let path = |path: &str| app.find(path).map(|part| part.status().path().to_owned());
    assert!(
        app.find("app/store/db").is_some(),
        "also before the first start"
    );
    app.start().await.unwrap();
    for known in [
        "app",
        "app/http",
        "app/store",
        "app/store/db",
        "app/store/db2",
    ] {
        assert_eq!(path(known).as_deref(), Some(known));
    }
    for unknown in [
        "",
        "/",
        "ap",
        "app/",
        "app//http",
        "http",
        "app/store/d",
        "app/store/db/",
        "app/store/db3",
    ] {
        assert_eq!(path(unknown), None, "{unknown}");
    }
    app.find("app/store/db").unwrap().stop().await.unwrap();
    assert_eq!(
        app.status().children()[0].children()[0].state(),
        State::Stopped
    );
    app.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_part_that_is_found_is_a_handle_and_keeps_nothing_alive_by_itself() {
    let http = Runner::new(idle());
    let app = Runner::new(
        Group::builder("app")
            .with("http", http.clone())
            .build()
            .unwrap(),
    );
    app.start().await.unwrap();
    assert!(
        http.find("app/http").is_some(),
        "it bears the path of its whole"
    );
    let found = app.find("app/http").unwrap();
    drop(http);
    found.stop().await.unwrap();
    assert_eq!(found.state(), State::Stopped);
    app.stop().await.unwrap();
}

fn idle() -> impl startstop_core::Service {
    service_fn(async |cx: Context| cx.cancelled().await)
}
