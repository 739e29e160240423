//! `service_fn` and its relatives, and `once`.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use startstop_core::{
    BoxError, Cause, Context, Exit, Group, Phase, Readiness, Runner, Service, State, StopError,
    blocking_fn, every, once, service_fn, service_fn_with,
};
use tokio::sync::Notify;

use crate::support::{Broken, idle, start};

#[tokio::test(start_paused = true)]
async fn a_function_may_yield_nothing_or_any_error() {
    let outcomes = [
        Runner::new(service_fn(async |_cx| {}).boxed()),
        Runner::new(service_fn(async |_cx| Ok::<_, Infallible>(())).boxed()),
        Runner::new(service_fn(async |_cx| -> Result<(), std::io::Error> { Ok(()) }).boxed()),
    ];
    for runner in outcomes {
        runner.start().await.unwrap();
        assert_eq!(runner.wait().await, Exit::Completed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_closures_error_is_recorded_with_its_type() {
    let runner = Runner::new(service_fn(async |_cx| Err::<(), _>(Broken("x"))));
    runner.start().await.unwrap();
    assert_eq!(runner.wait().await, Exit::Failed);
    let failure = runner.errors_last().unwrap();
    assert_eq!(failure.error().downcast_ref(), Some(&Broken("x")));
}

#[tokio::test(start_paused = true)]
async fn a_closure_can_run_again_and_again() {
    let runner = Runner::new(service_fn_with(AtomicU32::new(0), async |count, cx| {
        count.fetch_add(1, Ordering::Relaxed);
        cx.cancelled().await;
    }));
    for _ in 0..3 {
        runner.start().await.unwrap();
        idle().await;
    }
    assert_eq!(runner.service().state().load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn on_shutdown_is_called_in_a_stop() {
    let closed = Arc::new(Notify::new());
    let close = Arc::clone(&closed);
    let wait = Arc::clone(&closed);
    let service = service_fn(move |_cx: Context| {
        let wait = Arc::clone(&wait);
        async move { wait.notified().await }
    })
    .on_shutdown(move |_cx| {
        close.notify_one();
        async {}
    });
    let runner = Runner::new(service);
    runner.start().await.unwrap();
    runner.stop().await.unwrap();
    assert_eq!(runner.wait().await, Exit::Stopped);
}

#[tokio::test(start_paused = true)]
async fn the_error_of_on_shutdown_is_that_of_the_stop() {
    let service = service_fn(async |cx| cx.cancelled().await)
        .on_shutdown(async |_cx| Err::<(), _>(Broken("close")));
    let runner = Runner::new(service);
    runner.start().await.unwrap();
    let Err(StopError::Failed(failure)) = runner.stop().await else {
        panic!()
    };
    assert_eq!(failure.phase(), Phase::Shutdown);
}

#[tokio::test(start_paused = true)]
async fn a_state_is_shared_by_both_functions() {
    let service = service_fn_with(Notify::new(), async |state, _cx| state.notified().await)
        .on_shutdown(async |state, _cx| state.notify_one());
    let runner = Runner::new(service);
    runner.start().await.unwrap();
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn clones_are_services_of_their_own_that_share_the_state() {
    let served = service_fn_with(AtomicU32::new(0), async |count, cx| {
        count.fetch_add(1, Ordering::Relaxed);
        cx.cancelled().await;
    });
    let pair = served.clone().on_shutdown(async |count, _cx| {
        count.fetch_add(10, Ordering::Relaxed);
    });
    let threads = blocking_fn(|cx| while !cx.cancelled_blocking(Duration::from_secs(20)) {});
    let awoken = threads.clone().on_shutdown(|_cx| ());

    let workers = Group::builder("workers")
        .with("one", served.clone())
        .with("another", served.clone())
        .with("first of two", pair.clone())
        .with("second of two", pair)
        .with("thread", threads.clone())
        .with("other thread", threads)
        .with("first awoken", awoken.clone())
        .with("second awoken", awoken);
    let workers = Runner::new(workers.build().unwrap());
    start(&workers).await;
    workers.stop().await.unwrap();
    assert_eq!(served.state().load(Ordering::Relaxed), 4 + 20);
}

#[tokio::test(start_paused = true)]
async fn a_job_is_ready_when_it_is_done() {
    let go = Arc::new(Notify::new());
    let gate = Arc::clone(&go);
    let job = once(move |_cx| {
        let gate = Arc::clone(&gate);
        async move { gate.notified().await }
    });
    assert_eq!(job.settings().get_readiness(), Some(Readiness::Completion));
    let runner = Runner::new(job);
    let first = start(&runner).await;
    assert_eq!(runner.state(), State::Starting);
    go.notify_one();
    first.outcome().await.unwrap();
    runner.wait_for(State::Stopped).await;
    assert!(runner.is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_fails_its_start() {
    let runner = Runner::new(once(async |_cx| -> Result<(), BoxError> {
        Err("no".into())
    }));
    assert!(runner.start().await.is_err());
    assert_eq!(runner.errors_last().unwrap().cause(), Cause::Error);
}

fn worker() -> impl Service {
    service_fn(async |cx| cx.cancelled().await)
}

#[test]
fn the_name_is_that_of_the_function_around_it() {
    fn migrate() -> impl Service {
        once(async |_cx| {})
    }
    fn of_a_state() -> impl Service {
        service_fn_with((), async |_state, _cx| {})
    }
    fn with_state() -> impl Service {
        service_fn_with((), async |_state, _cx| {}).on_shutdown(async |_state, _cx| {})
    }
    fn in_a_thread() -> impl Service {
        blocking_fn(|_cx| {})
    }
    fn now_and_then() -> impl Service {
        every(Duration::from_secs(1), async |_cx| {})
    }
    assert_eq!(Runner::new(in_a_thread()).name(), "in_a_thread");
    assert_eq!(Runner::new(now_and_then()).name(), "now_and_then");
    assert_eq!(Runner::new(worker()).name(), "worker");
    assert_eq!(Runner::new(migrate()).name(), "migrate");
    assert_eq!(Runner::new(of_a_state()).name(), "of_a_state");
    assert_eq!(Runner::new(with_state()).name(), "with_state");
    let inline = Runner::new(service_fn(async |_cx| {}).on_shutdown(async |_cx| {}));
    assert_eq!(inline.name(), "the_name_is_that_of_the_function_around_it");
}

#[tokio::test]
async fn the_name_in_an_async_function_is_that_of_the_function() {
    let runner = Runner::new(service_fn(async |_cx| {}));
    assert_eq!(
        runner.name(),
        "the_name_in_an_async_function_is_that_of_the_function"
    );
}

#[test]
fn the_name_of_a_type_has_no_path() {
    assert_eq!(Runner::new(crate::support::Probe::new().0).name(), "Probe");
}
