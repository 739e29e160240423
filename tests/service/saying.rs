//! Reports of a service about itself, and the reason for its end.

use std::sync::{Arc, Mutex};

use startstop_core::{
    Backoff, Cause, Context, Exit, Group, Phase, Readiness, RestartPolicy, Runner, Settings,
    StopReason, once, service_fn,
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::support::{SECOND, idle, within};

#[tokio::test(start_paused = true)]
async fn a_detail_is_shown_until_it_is_set_anew_or_the_attempt_ends() {
    let service = service_fn(async |cx: Context| {
        cx.detail("connecting");
        sleep(SECOND).await;
        cx.detail(format!("{} connections", 3));
        cx.cancelled().await;
    });
    let runner = Runner::new(service);
    runner.start().await.unwrap();
    idle().await;
    assert_eq!(runner.status().detail(), Some("connecting"));
    sleep(2 * SECOND).await;
    assert_eq!(runner.status().detail(), Some("3 connections"));
    assert!(runner.status().to_string().contains("3 connections"));
    runner.stop().await.unwrap();
    assert_eq!(runner.status().detail(), None);
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_is_named_with_its_age_by_whoever_tells_of_a_hang() {
    let service = service_fn(async |cx: Context| {
        cx.checkpoint("reading");
        sleep(SECOND).await;
        cx.checkpoint("writing");
        std::future::pending::<()>().await;
    });
    let runner = Runner::with_settings(service, Settings::new().readiness(Readiness::Explicit));
    runner.request_start();
    sleep(4 * SECOND).await;
    let status = runner.status();
    assert_eq!(
        (status.checkpoint(), status.checkpoint_age()),
        (Some("writing"), Some(3 * SECOND))
    );
    assert_eq!(within(runner.wait()).await, Exit::Failed);
    let failure = runner.errors_last().unwrap();
    assert_eq!(failure.cause(), Cause::TimedOut);
    assert_eq!(
        (failure.checkpoint(), failure.checkpoint_age()),
        (Some("writing"), Some(29 * SECOND))
    );
    assert!(
        failure
            .to_string()
            .ends_with(r#", 29s after checkpoint "writing""#),
        "{failure}"
    );
    assert_eq!(
        runner.status().checkpoint(),
        Some("writing"),
        "of the most recent attempt"
    );
}

#[tokio::test(start_paused = true)]
async fn an_error_of_its_own_does_not_speak_of_the_checkpoint() {
    let runner = Runner::new(once(async |cx: Context| {
        cx.checkpoint("reading");
        Err::<(), _>("no such file")
    }));
    runner.start().await.unwrap_err();
    let failure = runner.errors_last().unwrap();
    assert_eq!(failure.checkpoint(), Some("reading"));
    assert!(
        !failure.to_string().contains("after checkpoint"),
        "{failure}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_attempt_has_passed_no_checkpoint() {
    let service = service_fn(async |cx: Context| {
        if cx.attempt() == 1 {
            cx.checkpoint("reading");
            return Err("no such file");
        }
        cx.cancelled().await;
        Ok(())
    });
    let policy = RestartPolicy::on_failure().backoff(Backoff::none());
    let runner = Runner::with_settings(service, Settings::new().restart(policy));
    runner.start().await.unwrap();
    sleep(SECOND).await;
    assert_eq!(runner.status().attempts(), 2);
    assert_eq!(runner.status().checkpoint(), None);
    runner.stop().await.unwrap();
}

/// The reasons that `shutdown` and `run` see.
type Seen = Arc<Mutex<Vec<Option<StopReason>>>>;

fn seeing(seen: &Seen) -> impl startstop_core::Service + use<> {
    let seen = Arc::clone(seen);
    service_fn(async |cx: Context| {
        assert_eq!(cx.reason(), None);
        if cx.cycle() == 1 {
            return Err("broken");
        }
        cx.cancelled().await;
        Ok(())
    })
    .on_shutdown(move |cx: Context| {
        seen.lock().unwrap().push(cx.reason());
        async {}
    })
}

#[tokio::test(start_paused = true)]
async fn shutdown_can_tell_why_it_is_called() {
    let seen = Seen::default();
    let settings = Settings::new().shutdown_always(true);
    let runner = Runner::with_settings(seeing(&seen), settings);
    runner.start().await.unwrap();
    runner.wait().await;
    runner.start().await.unwrap();
    idle().await;
    runner.restart().await.unwrap();
    idle().await;
    runner.stop().await.unwrap();
    let parent = CancellationToken::new();
    runner.start_with(&parent).await.unwrap();
    idle().await;
    parent.cancel();
    runner.wait().await;
    runner.start().await.unwrap();
    idle().await;
    drop(runner);
    idle().await;
    let seen = seen.lock().unwrap().clone();
    let wanted = [
        StopReason::Failed,
        StopReason::Restart,
        StopReason::Requested,
        StopReason::Parent,
        StopReason::Abandoned,
    ];
    assert_eq!(seen, wanted.map(Some));
}

#[tokio::test(start_paused = true)]
async fn the_first_reason_of_a_stop_stays() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&seen);
    let service = service_fn(move |cx: Context| {
        let tell = Arc::clone(&tell);
        async move {
            cx.request_stop();
            cx.cancelled().await;
            sleep(SECOND).await;
            tell.lock().unwrap().push(cx.reason());
        }
    });
    let runner = Runner::new(service);
    runner.start().await.unwrap();
    idle().await;
    runner.stop().await.unwrap();
    assert_eq!(*seen.lock().unwrap(), [Some(StopReason::Own)]);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_winds_down_knows_that_run_has_ended() {
    for (result, reason) in [
        (Ok(()), StopReason::Completed),
        (Err("broken"), StopReason::Failed),
    ] {
        let seen = Arc::new(Mutex::new(None));
        let tell = Arc::clone(&seen);
        let runner = Runner::new(service_fn(move |cx: Context| {
            let (task, tell) = (cx.clone(), Arc::clone(&tell));
            cx.spawn(async move {
                task.cancelled().await;
                *tell.lock().unwrap() = task.reason();
            });
            async move { result }
        }));
        runner.start().await.unwrap();
        within(runner.wait()).await;
        assert_eq!(*seen.lock().unwrap(), Some(reason));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_of_the_whole_is_asked_for_from_within() {
    let asks = service_fn(async |cx: Context| {
        sleep(SECOND).await;
        cx.request_shutdown();
        cx.cancelled().await;
    });
    let idle = || service_fn(async |cx: Context| cx.cancelled().await);
    let inner = Group::builder("inner")
        .with("asks", asks)
        .with("beside", idle())
        .build()
        .unwrap();
    let app = Group::builder("app")
        .with("inner", inner)
        .with("far", idle())
        .build()
        .unwrap();
    let app = Runner::new(app);
    app.start().await.unwrap();
    assert_eq!(within(app.wait()).await, Exit::Stopped);
    assert!(app.errors_list().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_shared_service_stops_every_whole() {
    let shared = Runner::new(service_fn(async |cx: Context| {
        sleep(SECOND).await;
        cx.request_shutdown();
        cx.cancelled().await;
    }));
    let idle = || service_fn(async |cx: Context| cx.cancelled().await);
    let whole = |name: &'static str| {
        let group = Group::builder(name)
            .with("shared", shared.clone())
            .with("own", idle());
        Runner::new(group.build().unwrap())
    };
    let (one, other) = (whole("one"), whole("other"));
    one.start().await.unwrap();
    other.start().await.unwrap();
    assert_eq!(within(one.wait()).await, Exit::Stopped);
    assert_eq!(within(other.wait()).await, Exit::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_service_outside_of_a_group_stops_itself() {
    let runner = Runner::new(service_fn(async |cx: Context| {
        cx.request_shutdown();
        cx.cancelled().await;
        assert_eq!(cx.reason(), Some(StopReason::Own));
    }));
    runner.start().await.unwrap();
    assert_eq!(within(runner.wait()).await, Exit::Stopped);
}

#[test]
fn a_stuck_task_is_named_with_the_checkpoint() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(3)
        .enable_all()
        .build();
    let runtime = runtime.unwrap();
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = Arc::new(Mutex::new(held));
    let (begun, has_begun) = std::sync::mpsc::channel::<()>();
    let service = service_fn(move |cx: Context| {
        let (held, begun) = (Arc::clone(&held), begun.clone());
        cx.checkpoint("flushing");
        cx.spawn_named("writer", async move {
            begun.send(()).unwrap();
            let _ = held.lock().unwrap().recv();
        });
        async move { cx.cancelled().await }
    });
    let settings = Settings::new()
        .stop_timeout(SECOND / 20)
        .abort_timeout(SECOND / 20);
    let runner = Runner::with_settings(service, settings);
    runtime.block_on(async {
        runner.start().await.unwrap();
        tokio::task::spawn_blocking(move || has_begun.recv().unwrap())
            .await
            .unwrap();
        let Err(startstop_core::StopError::Unresponsive(stuck)) = within(runner.stop()).await
        else {
            panic!("the task blocks its thread")
        };
        assert_eq!(
            (stuck.parts(), stuck.checkpoint()),
            ([Phase::Task].as_slice(), Some("flushing"))
        );
        let age = stuck.checkpoint_age().expect("there is one");
        assert!(age >= SECOND / 10, "since before the stop: {age:?}");
        let text = stuck.to_string();
        assert!(
            text.contains(r#"task "writer" stuck"#) && text.contains(r#"checkpoint "flushing""#),
            "{text}"
        );
        drop(release);
        within(runner.wait()).await;
    });
}
