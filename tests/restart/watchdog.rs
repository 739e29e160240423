//! The watchdog: who is silent for too long has failed.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc::channel};
use std::time::Duration;

use startstop_core::{
    Backoff, Cause, Context, Exit, Group, Member, Readiness, RestartPolicy, Runner, Settings,
    StartError, State, StopError, service_fn, service_fn_with,
};
use tokio::time::{Instant, sleep};

use super::{counted, seconds};
use crate::support::{Census, settle, until, within};

fn watching(policy: RestartPolicy) -> Settings {
    Settings::new().watchdog(seconds(5)).restart(policy)
}

#[tokio::test(start_paused = true)]
async fn a_silent_service_is_aborted_without_shutdown_and_restarted() {
    within(async {
        let calls = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&calls);
        let service = service_fn(|_| pending::<()>()).on_shutdown(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            async {}
        });
        let policy = RestartPolicy::on_failure().backoff(Backoff::constant(seconds(1)));
        let runner = Runner::with_settings(service, watching(policy.limit(3, seconds(1000))));
        let begun = Instant::now();
        runner.start().await.expect("ready at once");
        assert_eq!(runner.wait().await, Exit::Failed);
        assert!(begun.elapsed() >= seconds(23) && begun.elapsed() < seconds(24));
        assert_eq!(
            (runner.status().attempts(), calls.load(Ordering::SeqCst)),
            (4, 0)
        );
        assert!(
            runner
                .errors_list()
                .iter()
                .all(|it| it.cause() == Cause::Unresponsive)
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_service_goes_through_stopping() {
    within(async {
        let runner =
            Runner::with_settings(crate::support::deaf(), watching(RestartPolicy::never()));
        let mut states = runner.subscribe();
        let watcher = tokio::spawn(async move {
            let mut seen = vec![states.get()];
            while let Some(state) = states.changed().await {
                seen.push(state);
                if state == State::Stopped {
                    break;
                }
            }
            seen
        });
        runner.start().await.expect("ready at once");
        assert_eq!(runner.wait().await, Exit::Failed);
        let seen = watcher.await.expect("no panic");
        assert_eq!(seen.last(), Some(&State::Stopped));
        assert!(!seen.contains(&State::Backoff));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn heartbeats_of_an_attempt_that_is_over_do_not_count() {
    within(async {
        let first = Arc::new(Mutex::new(None));
        let keep = Arc::clone(&first);
        let service = service_fn(move |cx: Context| {
            let fails = cx.attempt() == 1;
            keep.lock().unwrap().get_or_insert(cx);
            async move { if fails { Err("again") } else { pending().await } }
        });
        let policy = RestartPolicy::on_failure()
            .backoff(Backoff::none())
            .limit(1, seconds(60));
        let runner = Runner::with_settings(service, watching(policy));
        runner.start().await.expect("ready at once");
        until(|| runner.status().attempts() == 2).await;
        let over = first
            .lock()
            .unwrap()
            .take()
            .expect("the first one has begun");
        let beats = tokio::spawn(async move {
            loop {
                over.heartbeat();
                sleep(seconds(1)).await;
            }
        });
        let begun = Instant::now();
        assert_eq!(runner.wait().await, Exit::Failed);
        assert!(begun.elapsed() >= seconds(5) && begun.elapsed() < seconds(6));
        beats.abort();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn heartbeats_keep_a_service_alive() {
    within(async {
        let attempts = Arc::default();
        let service = counted(&attempts, |cx: Context| async move {
            for _ in 0..20 {
                sleep(Duration::from_millis(4_900)).await;
                cx.heartbeat();
            }
            pending().await
        });
        let runner = Runner::with_settings(service, watching(RestartPolicy::never()));
        let begun = Instant::now();
        runner.start().await.expect("ready at once");
        assert_eq!(runner.wait().await, Exit::Failed);
        assert!(begun.elapsed() >= seconds(103) && begun.elapsed() < seconds(104));
        assert_eq!(attempts.load(Ordering::SeqCst), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_watchdog_looks_only_while_running() {
    within(async {
        let service = service_fn(|cx: Context| async move {
            sleep(seconds(20)).await;
            cx.ready();
            cx.cancelled().await;
            sleep(seconds(20)).await;
        });
        let settings = watching(RestartPolicy::never())
            .readiness(startstop_core::Readiness::Explicit)
            .stop_timeout(seconds(60));
        let runner = Runner::with_settings(service, settings);
        runner
            .start()
            .await
            .expect("it is not looked at before it is ready");
        sleep(seconds(4)).await;
        runner.stop().await.expect("nor after it was told to stop");
        assert!(runner.errors_list().is_empty());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_armed_without_a_watchdog() {
    within(async {
        let runner = Runner::new(crate::support::deaf());
        runner.start().await.expect("ready at once");
        settle().await;
        let tasks = tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks();
        assert_eq!(tasks, 1, "a running service is one task");
        sleep(seconds(1_000_000)).await;
        assert!(runner.is_running() && runner.errors_list().is_empty());
        let _ = runner.stop_within(Duration::ZERO).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_service_that_blocks_its_thread_once_it_is_ready_is_seen() {
    for start_timeout in [seconds(30), Duration::MAX] {
        let (release, held) = channel::<()>();
        let service = service_fn_with(Mutex::new(held), |held, cx: Context| async move {
            cx.ready();
            let _ = held.lock().expect("no poison").recv();
        });
        let settings = Settings::new()
            .readiness(Readiness::Explicit)
            .start_timeout(start_timeout)
            .watchdog(Duration::from_millis(250));
        let runner = Runner::with_settings(service, settings);
        runner.request_start();
        within(runner.wait_for(State::Stopping)).await;
        assert_eq!(
            runner.errors_last().expect("it was seen").cause(),
            Cause::Unresponsive
        );
        drop(release);
        within(runner.wait()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_that_takes_longer_than_the_watchdog_is_left_alone() {
    within(async {
        let service = service_fn(async |cx: Context| {
            sleep(seconds(18)).await;
            cx.ready();
            pending::<()>().await;
        });
        let settings = watching(RestartPolicy::never()).readiness(Readiness::Explicit);
        let runner = Runner::with_settings(service, settings);
        let begun = Instant::now();
        runner
            .start()
            .await
            .expect("it is ready within its start timeout");
        assert_eq!(
            (runner.wait().await, begun.elapsed()),
            (Exit::Failed, seconds(23))
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_service_that_is_silent_and_blocks_its_thread_is_unresponsive_and_alone() {
    within(async {
        let census = Census::new();
        let (release, held) = channel::<()>();
        let service = service_fn_with(
            (Arc::clone(&census), Mutex::new(held)),
            |state, _cx: Context| async move {
                let _alive = state.0.enter();
                let _ = state.1.lock().expect("no poison").recv();
            },
        );
        let policy = RestartPolicy::always().backoff(Backoff::none()).forever();
        let settings = Settings::new()
            .watchdog(Duration::from_millis(250))
            .abort_timeout(Duration::from_millis(20));
        let runner = Runner::with_settings(service, settings.restart(policy));
        runner.start().await.expect("ready at once");
        runner.wait_for(State::Stopping).await;
        until(|| runner.errors_list().len() >= 2).await;
        assert!(matches!(
            runner.start().await,
            Err(StartError::Unresponsive)
        ));
        assert!(matches!(
            runner.stop().await,
            Err(StopError::Unresponsive(_))
        ));
        assert_eq!(
            (runner.state(), census.runs(), census.alive()),
            (State::Stopping, 1, 1)
        );
        drop(release);
        runner.wait().await;
        settle().await;
        assert_eq!(
            runner.state(),
            State::Stopped,
            "no policy applies after the verdict"
        );
        census.assert_settled();
        assert_eq!(census.runs(), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_group_has_no_watchdog_and_its_members_keep_theirs() {
    within(async {
        let silent = Member::new(service_fn(|_| pending::<()>()));
        let group = Group::builder("app")
            .with(
                "silent",
                silent.settings(Settings::new().watchdog(seconds(50))),
            )
            .settings(Settings::new().watchdog(seconds(1)))
            .build()
            .expect("it has one member");
        let runner = Runner::new(group);
        let begun = Instant::now();
        runner.start().await.expect("its member is ready at once");
        assert_eq!(runner.wait().await, Exit::Failed);
        assert_eq!(begun.elapsed(), seconds(50));
        let silent = runner.find("app/silent").expect("it is a member");
        let failure = silent.errors_last().expect("it has failed");
        assert_eq!(failure.cause(), Cause::Unresponsive);
    })
    .await;
}
