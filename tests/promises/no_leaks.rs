//! Promise 5: after `Stopped` nothing of the service is left running.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use startstop_core::{
    Context, Readiness, RestartPolicy, Runner, Service, Settings, State, service_fn,
    service_fn_with,
};
use tokio::runtime::Handle;

use crate::support::{
    Census, failing, obedient, on_each_flavour, park_on, poll_once, until, within,
};

/// A service with everything: a hook that takes its time, tasks of all kinds, explicit readiness.
fn busy(census: &Arc<Census>) -> impl Service {
    let run = |census: Arc<Arc<Census>>, cx: Context| async move {
        let _alive = census.enter();
        let child = cx.clone();
        cx.spawn(async move { child.cancelled().await });
        cx.spawn(async { tokio::task::yield_now().await });
        let token = cx.token();
        cx.spawn(async move { token.cancelled().await });
        cx.ready();
        cx.cancelled().await;
    };
    let stop = |_, _| async { tokio::task::yield_now().await };
    service_fn_with(Arc::clone(census), run).on_shutdown(stop)
}

fn with_everything() -> Settings {
    Settings::new()
        .readiness(Readiness::Explicit)
        .watchdog(Duration::from_secs(100))
        .restart(RestartPolicy::on_failure())
        .shutdown_always(true)
}

fn alive_tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

#[test]
fn no_leaks_after_a_thousand_cycles() {
    on_each_flavour(|| {
        within(async {
            let before = alive_tasks();
            let census = Census::new();
            let runner = Runner::with_settings(busy(&census), with_everything());
            for _ in 0..1_000 {
                runner.start().await.expect("it becomes ready");
                runner.stop().await.expect("an obedient service stops");
                assert_eq!(census.alive(), 0);
            }
            until(|| alive_tasks() == before).await;
            census.assert_settled();
        })
    });
}

#[test]
fn no_leaks_after_aborts() {
    on_each_flavour(|| {
        within(async {
            let before = alive_tasks();
            let service = service_fn(|cx: Context| async move {
                cx.spawn(pending::<()>());
                pending::<()>().await;
            });
            let runner = Runner::new(service.on_shutdown(|_| pending::<()>()));
            for _ in 0..200 {
                runner.start().await.expect("ready at once");
                drop(poll_once(Box::pin(runner.stop())).await);
                runner
                    .stop_within(Duration::from_millis(1))
                    .await
                    .expect_err("it hangs");
                assert_eq!(runner.state(), State::Stopped);
            }
            until(|| alive_tasks() == before).await;
        })
    });
}

#[test]
fn no_leaks_of_the_service_value() {
    on_each_flavour(|| {
        within(async {
            let value = Arc::new(());
            let gone = Arc::downgrade(&value);
            let service = service_fn_with(value, |_, cx: Context| async move {
                cx.cancelled().await;
            });
            let runner = Runner::with_settings(service, with_everything());
            let runner = (runner.clone(), runner);
            runner.0.request_start();
            crate::support::settle().await;
            drop(runner.0);
            assert!(gone.upgrade().is_some());
            runner.1.stop().await.expect("an obedient service stops");
            drop(runner.1);
            until(|| gone.upgrade().is_none()).await;
        })
    });
}

#[test]
fn no_leaks_when_the_last_clone_is_dropped() {
    on_each_flavour(|| {
        within(async {
            let before = alive_tasks();
            let census = Census::new();
            let runner = Runner::new(obedient(&census));
            runner.start().await.expect("ready at once");
            until(|| census.alive() == 1).await;
            let clone = runner.clone();
            drop(runner);
            crate::support::settle().await;
            assert_eq!(census.alive(), 1, "a clone is left");
            drop(clone);
            until(|| alive_tasks() == before).await;
            census.assert_settled();
        })
    });
}

#[tokio::test(start_paused = true)]
async fn no_leaks_of_a_queued_restart_when_the_last_clone_is_dropped() {
    within(async {
        let before = alive_tasks();
        let policy = RestartPolicy::always().forever();
        let runner = Runner::with_settings(failing("broken"), Settings::new().restart(policy));
        runner.request_start();
        runner.wait_for(State::Backoff).await;
        drop(runner);
        until(|| alive_tasks() == before).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn no_leaks_of_tasks_when_run_ends_by_itself() {
    within(async {
        let ended = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&ended);
        let runner = Runner::new(service_fn(move |cx: Context| {
            let ended = Arc::clone(&counter);
            async move {
                let census = Census::new();
                let alive = census.enter();
                cx.spawn(async move {
                    let _alive = alive;
                    pending::<()>().await;
                });
                let child = cx.clone();
                cx.spawn(async move {
                    child.cancelled().await;
                    ended.fetch_add(1, Ordering::SeqCst);
                });
            }
        }));
        let before = alive_tasks();
        runner.start().await.expect("it completes");
        runner.wait().await;
        assert_eq!(ended.load(Ordering::SeqCst), 1);
        until(|| alive_tasks() == before).await;
    })
    .await;
}

#[test]
fn no_leaks_of_the_service_value_without_a_runtime() {
    let value = Arc::new(());
    let gone = Arc::downgrade(&value);
    let runner = Runner::new(service_fn_with(value, |_, _cx| async {}));
    park_on(runner.start()).expect_err("there is no runtime");
    drop(runner);
    assert!(gone.upgrade().is_none());
}
