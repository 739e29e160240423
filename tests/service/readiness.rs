//! Readiness that is taken back, put off, or never comes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use startstop_core::{
    Backoff, BoxError, BoxService, Cause, Context, EventKind, Exit, Interruption, Readiness,
    RestartPolicy, Runner, Service, Settings, StartError, Status, once, service_fn,
};
use tokio::time::{Instant, sleep};

use crate::support::{Act, SECOND, assert_took, idle, probed, within};

fn explicit() -> Settings {
    Settings::new().readiness(Readiness::Explicit)
}

#[tokio::test(start_paused = true)]
async fn a_service_takes_its_readiness_back_and_gets_it_again() {
    for readiness in [Readiness::Immediate, Readiness::Explicit] {
        let service = service_fn(async |cx: Context| {
            cx.ready();
            sleep(SECOND).await;
            cx.not_ready("the database is away");
            sleep(5 * SECOND).await;
            cx.not_ready("the disk is full");
            cx.ready();
            cx.cancelled().await;
        });
        let runner = Runner::with_settings(service, Settings::new().readiness(readiness));
        let mut events = runner.events();
        runner.start().await.unwrap();
        sleep(2 * SECOND).await;
        assert!(runner.is_running() && !runner.is_ready());
        assert_eq!(
            runner.status().not_ready_reason(),
            Some("the database is away")
        );
        runner.ensure_running().await.unwrap();
        sleep(10 * SECOND).await;
        assert!(runner.is_running() && runner.is_ready());
        assert_eq!(runner.status().not_ready_reason(), None);
        runner.stop().await.unwrap();

        let mut told = Vec::new();
        while let Some(event) = events.try_next() {
            match event.kind() {
                EventKind::Ready { after } => told.push(format!("ready after {after:?}")),
                EventKind::NotReady(reason) => told.push(reason.to_string()),
                _ => {}
            }
        }
        assert_eq!(
            told,
            ["ready after 0ns", "the database is away", "ready after 5s"]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_reason_that_is_given_while_starting_is_only_noted() {
    let service = service_fn(async |cx: Context| {
        cx.not_ready("migrating");
        sleep(SECOND).await;
        cx.ready();
        cx.cancelled().await;
    });
    let runner = Runner::with_settings(service, explicit());
    let mut events = runner.events();
    runner.request_start();
    idle().await;
    assert_eq!(runner.status().not_ready_reason(), Some("migrating"));
    runner.start().await.unwrap();
    assert!(runner.is_ready());
    assert_eq!(runner.status().not_ready_reason(), None);
    let not_ready = |kind: &EventKind| matches!(kind, EventKind::NotReady(_));
    while let Some(event) = events.try_next() {
        assert!(!not_ready(event.kind()), "{:?}", event.kind());
    }
    runner.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_next_attempt_is_ready_again() {
    let service = service_fn(async |cx: Context| {
        if cx.attempt() > 1 {
            cx.cancelled().await;
            return Ok(());
        }
        cx.not_ready("about to fail");
        Err("failed")
    });
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(SECOND));
    let runner = Runner::with_settings(service, Settings::new().restart(policy));
    let mut events = runner.events();
    runner.start().await.unwrap();
    sleep(3 * SECOND).await;
    assert!(runner.is_ready() && runner.status().attempts() == 2);
    let mut ready = Vec::new();
    while let Some(event) = events.try_next() {
        if let EventKind::Ready { after } = event.kind() {
            ready.push(*after);
        }
    }
    assert_eq!(
        ready,
        [Duration::ZERO; 2],
        "an attempt counts from its own start"
    );
    runner.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_context_that_is_over_takes_nothing_back() {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&kept);
    let service = service_fn(move |cx: Context| {
        keep.lock().unwrap().push(cx.clone());
        async move { cx.cancelled().await }
    });
    let runner = Runner::new(service);
    runner.start().await.unwrap();
    idle().await;
    runner.restart().await.unwrap();
    let old = kept.lock().unwrap().remove(0);
    old.not_ready("long ago");
    old.detail("long ago");
    old.checkpoint("long ago");
    assert!(runner.is_ready());
    let status = runner.status();
    assert_eq!((status.detail(), status.checkpoint()), (None, None));
    runner.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_start_is_put_off_and_never_shortened() {
    for (extensions, late_after) in [
        (vec![], 30),
        (vec![10, 5], 30),
        (vec![100], 100),
        (vec![100, 20], 100),
        (vec![40, 50], 50),
    ] {
        let many = extensions.clone();
        let service = service_fn(move |cx: Context| {
            for seconds in &many {
                cx.extend(*seconds * SECOND);
            }
            std::future::pending::<()>()
        });
        let runner = Runner::with_settings(service, explicit());
        let begun = Instant::now();
        assert!(matches!(
            within(runner.start()).await,
            Err(StartError::TimedOut)
        ));
        assert_took(begun, late_after * SECOND);
        let failure = runner.errors_last().unwrap();
        let error = failure.error().downcast_ref::<Interruption>();
        let after = late_after * SECOND;
        assert_eq!(
            error,
            Some(&Interruption::StartTimedOut { after }),
            "{extensions:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_put_off_again_and_again_is_not_late() {
    let service = service_fn(async |cx: Context| {
        for _ in 0..10 {
            cx.extend(20 * SECOND);
            sleep(15 * SECOND).await;
        }
        cx.ready();
        cx.cancelled().await;
    });
    let runner = Runner::with_settings(service, explicit());
    within(runner.start()).await.unwrap();
    runner.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_leaves_before_it_is_ready_has_failed() {
    let (runner, probe) = probed(explicit());
    probe.tell(Act::Complete);
    let Err(StartError::Failed(failure)) = runner.start().await else {
        panic!("it was never ready")
    };
    assert_eq!(failure.cause(), Cause::NotReady);
    assert_eq!(
        failure.error().downcast_ref(),
        Some(&Interruption::NotReady)
    );
    assert_eq!(runner.wait().await, Exit::Failed);
}

#[tokio::test(start_paused = true)]
async fn an_explicit_service_that_leaves_early_is_restarted_by_its_policy() {
    let service = service_fn(async |cx: Context| {
        if cx.attempt() == 3 {
            cx.ready();
            cx.cancelled().await;
        }
    });
    let policy = RestartPolicy::on_failure().backoff(Backoff::none());
    let runner = Runner::with_settings(service, explicit().restart(policy));
    within(runner.start()).await.unwrap();
    assert_eq!(runner.errors_list().len(), 2);
    assert!(
        runner
            .errors_list()
            .iter()
            .all(|failure| failure.cause() == Cause::NotReady)
    );
    runner.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_explicit_service_that_was_told_to_stop_may_leave_early() {
    let (runner, _probe) = probed(explicit());
    let start = crate::support::start(&runner).await;
    runner.stop().await.unwrap();
    assert!(matches!(start.outcome().await, Err(StartError::Stopped)));
    assert_eq!(runner.wait().await, Exit::Stopped);
    assert!(runner.errors_list().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_runner_as_a_service_may_leave_early() {
    let inner = Runner::with_settings(
        service_fn(async |cx: Context| cx.cancelled().await),
        explicit(),
    );
    let outer = Runner::new(inner.clone());
    let start = crate::support::start(&outer).await;
    inner.stop().await.unwrap();
    start.outcome().await.unwrap();
    assert_eq!(outer.wait().await, Exit::Completed);
    assert!(outer.errors_list().is_empty());
    // A job says that it is ready by its end.
    Runner::new(Runner::new(once(async |_cx| ())))
        .start()
        .await
        .unwrap();
}

/// Reports parts that it drives by itself, and is ready when it says so.
struct Composite(Vec<Runner<BoxService>>);

impl Service for Composite {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        cx.cancelled().await;
        Ok(())
    }

    fn settings(&self) -> Settings {
        Settings::new().readiness(Readiness::Explicit)
    }

    fn children(&self) -> Vec<Status> {
        self.0.iter().map(Runner::status).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_composite_that_gives_no_reason_waits_for_parts_that_are_neither_ready_nor_settled() {
    let named =
        |name, service: BoxService| Runner::with_settings(service, Settings::new().name(name));
    let runs = || service_fn(async |cx: Context| cx.cancelled().await).boxed();
    let ready = named("ready", runs());
    let never_started = named("never", runs());
    let done = named("done", once(async |_cx| {}).boxed());
    let starting = named("starting", Composite(Vec::new()).boxed());
    ready.start().await.unwrap();
    done.start().await.unwrap();
    done.wait().await;
    starting.request_start();
    let parts = vec![ready, never_started, done, starting];
    let whole = Runner::new(Composite(parts));
    assert_eq!(whole.status().not_ready_reason(), None, "it is stopped");
    whole.request_start();
    idle().await;
    assert_eq!(whole.status().not_ready_reason(), Some("never, starting"));
    whole.stop().await.unwrap();
}
