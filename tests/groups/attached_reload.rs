//! Reload requests to a service that has attached runners to its attempt.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use startstop_core::{
    Backoff, BoxError, Context, Readiness, ReloadError, RestartPolicy, Runner, Service, Settings,
    State, service_fn,
};

use crate::support::groups::Journal;
use crate::support::{idle, within};

/// Waits for reload requests; refuses each second one.
fn reloading() -> Runner<impl Service> {
    let count = Arc::new(AtomicU32::new(0));
    Runner::new(service_fn(move |cx: Context| {
        let count = Arc::clone(&count);
        async move {
            while let Some(reload) = cx.run_until_cancelled(cx.reloaded()).await {
                match count.fetch_add(1, Ordering::Relaxed) % 2 {
                    0 => reload.done(),
                    _ => reload.failed("it does not parse"),
                }
            }
        }
    }))
}

/// Attaches both and starts them; waits for reload requests itself, if it is to.
fn with_two(
    first: &Runner<impl Service>,
    second: &Runner<impl Service>,
    listens: bool,
) -> Runner<impl Service> {
    let (first, second) = (first.clone(), second.clone());
    let service = service_fn(move |cx: Context| {
        let (first, second) = (first.clone(), second.clone());
        async move {
            cx.attach("first", &first)?;
            cx.attach("second", &second)?;
            first.start().await?;
            second.start().await?;
            cx.ready();
            if listens {
                while let Some(reload) = cx.run_until_cancelled(cx.reloaded()).await {
                    reload.done();
                }
            }
            cx.cancelled().await;
            Ok::<(), BoxError>(())
        }
    });
    let explicit = Settings::new().readiness(Readiness::Explicit).name("app");
    Runner::with_settings(service, explicit)
}

#[tokio::test(start_paused = true)]
async fn a_reload_that_the_service_does_not_wait_for_is_passed_on_to_it() {
    let (deaf, part) = (Runner::new(Journal::new().probe("part")), reloading());
    let app = with_two(&deaf, &part, false);
    within(app.start()).await.unwrap();
    idle().await;
    let mut events = app.events();
    within(app.reload()).await.unwrap();
    let told: Vec<String> = std::iter::from_fn(|| events.try_next())
        .map(|event| format!("{}: {}", event.path(), event.kind()))
        .collect();
    let expected = [
        "app: reloading",
        "app/second: reloading",
        "app/second: reloaded",
        "app: reloaded",
    ];
    assert_eq!(told, expected);

    let Err(ReloadError::Failed(failure)) = within(app.reload()).await else {
        panic!()
    };
    assert_eq!(failure.path(), "app/second");
    within(part.stop()).await.unwrap();
    let unsupported = within(app.reload()).await;
    assert!(
        matches!(unsupported, Err(ReloadError::NotSupported)),
        "{unsupported:?}"
    );
    within(app.stop()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_in_a_reload_or_is_in_backoff_then_is_not_without_support() {
    let policy = RestartPolicy::always().backoff(Backoff::constant(Duration::from_secs(1)));
    let settings = Settings::new().restart(policy);
    let fails_once = service_fn(async |cx: Context| {
        while let Some(reload) = cx.run_until_cancelled(cx.reloaded()).await {
            if cx.attempt() == 1 {
                return Err("the new configuration is wrong");
            }
            reload.done();
        }
        Ok(())
    });
    let part = Runner::with_settings(fails_once, settings);
    let deaf = Runner::new(Journal::new().probe("deaf"));
    let app = with_two(&deaf, &part, false);
    within(app.start()).await.unwrap();
    idle().await;
    for _ in 0..2 {
        let stopped = within(app.reload()).await;
        assert!(matches!(stopped, Err(ReloadError::Stopped)), "{stopped:?}");
        assert_eq!(part.state(), State::Backoff);
    }
    within(part.wait_for(State::Running)).await;
    idle().await;
    within(app.reload()).await.unwrap();
    within(app.stop()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_reload_that_the_service_waits_for_is_its_own() {
    let (first, second) = (reloading(), reloading());
    let app = with_two(&first, &second, true);
    within(app.start()).await.unwrap();
    idle().await;
    let mut events = app.events();
    within(app.reload()).await.unwrap();
    within(app.reload()).await.unwrap();
    while let Some(event) = events.try_next() {
        assert_eq!(event.path(), "app");
    }
    within(app.stop()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_reload_that_is_passed_on_ends_with_the_attempt() {
    let hangs = Runner::new(service_fn(async |cx: Context| {
        let _reload = cx.reloaded().await;
        std::future::pending::<()>().await;
    }));
    let app = with_two(&hangs, &reloading(), false);
    within(app.start()).await.unwrap();
    idle().await;
    let (reloaded, stopped) = tokio::join!(app.reload(), async {
        app.stop_within(Duration::ZERO).await
    });
    stopped.unwrap();
    assert!(
        matches!(reloaded, Err(ReloadError::Stopped)),
        "{reloaded:?}"
    );
    assert_eq!(hangs.state(), State::Stopped);
}
