//! The answer to a reload request.

use std::sync::Arc;

use startstop_core::{
    Cause, Context, EventKind, Group, Member, OnFailure, Readiness, Reload, ReloadError, Runner,
    Service, Settings, State, once, service_fn,
};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::support::{Caller, SECOND, idle, within};

/// A service that takes each request over, or not.
fn answering(works: bool) -> impl Service {
    service_fn(move |cx: Context| async move {
        while let Some(reload) = cx.run_until_cancelled(cx.reloaded()).await {
            if works {
                reload.done();
            } else {
                reload.failed("line 3: no such key");
            }
        }
    })
}

/// A service that hands the requests out instead of answering them.
fn handing_out() -> (Runner<impl Service>, UnboundedReceiver<Reload>) {
    let (send, receive) = unbounded_channel();
    let service = service_fn(move |cx: Context| {
        let send = send.clone();
        async move {
            while let Some(reload) = cx.run_until_cancelled(cx.reloaded()).await {
                send.send(reload).unwrap();
            }
        }
    });
    (Runner::new(service), receive)
}

fn deaf() -> impl Service {
    service_fn(async |cx: Context| cx.cancelled().await)
}

async fn asked(runner: &Runner<impl Service>) -> Caller<Result<(), ReloadError>> {
    let runner = runner.clone();
    Caller::of(async move { runner.reload().await }).await
}

#[tokio::test(start_paused = true)]
async fn a_service_says_that_it_is_done() {
    let runner = Runner::new(answering(true));
    runner.start().await.unwrap();
    within(runner.reload()).await.unwrap();
    within(runner.reload()).await.unwrap();
    assert!(runner.errors_list().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_the_answer_and_recorded_as_reported() {
    let runner = Runner::new(answering(false));
    runner.start().await.unwrap();
    let Err(ReloadError::Failed(failure)) = within(runner.reload()).await else {
        panic!()
    };
    assert_eq!(failure.error().to_string(), "line 3: no such key");
    let recorded = runner.errors_last().unwrap();
    assert_eq!(recorded.cause(), Cause::Reported);
    assert!(runner.is_running());
    runner.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_reload_that_nobody_waits_for_is_not_supported() {
    let runner = Runner::new(deaf());
    assert!(matches!(
        within(runner.reload()).await,
        Err(ReloadError::Stopped)
    ));
    runner.start().await.unwrap();
    assert!(matches!(
        within(runner.reload()).await,
        Err(ReloadError::NotSupported)
    ));
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn right_after_a_start_the_request_waits_for_the_service_to_wait() {
    for _ in 0..50 {
        let runner = Runner::new(answering(true));
        runner.start().await.unwrap();
        runner.reload().await.unwrap();
        runner.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn right_after_a_start_on_many_threads_too() {
    for _ in 0..200 {
        let runner = Runner::new(answering(true));
        runner.start().await.unwrap();
        runner.reload().await.unwrap();
        runner.stop().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn several_callers_get_one_answer() {
    let (runner, mut requests) = handing_out();
    runner.start().await.unwrap();
    idle().await;
    let first = asked(&runner).await;
    let request = within(requests.recv()).await.unwrap();
    request.done();
    first.outcome().await.unwrap();
    // Both requests come before the service looks.
    let answer = async { within(requests.recv()).await.unwrap().failed("no") };
    let (second, third, ()) = tokio::join!(runner.reload(), runner.reload(), answer);
    assert!(matches!(second, Err(ReloadError::Failed(_))));
    assert!(matches!(third, Err(ReloadError::Failed(_))));
    assert_eq!(runner.errors_list().len(), 1);
    assert!(requests.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_is_done() {
    let (runner, mut requests) = handing_out();
    runner.start().await.unwrap();
    let caller = asked(&runner).await;
    drop(within(requests.recv()).await);
    caller.outcome().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_request_that_the_end_of_the_attempt_drops_is_not_done() {
    let error = service_fn(async |cx: Context| {
        let _held = cx.reloaded().await;
        tokio::time::sleep(SECOND).await;
        Err::<(), _>("connection lost")
    });
    let aborted = service_fn(async |cx: Context| {
        let _held = cx.reloaded().await;
        std::future::pending::<()>().await;
    });
    let panics = service_fn(async |cx: Context| {
        let _held = cx.reloaded().await;
        assert_eq!(cx.attempt(), 0, "at once");
    });
    let runners: [Arc<dyn startstop_core::StartStop>; 3] = [
        Arc::new(Runner::new(error)),
        Arc::new(Runner::new(aborted)),
        Arc::new(Runner::new(panics)),
    ];
    for runner in runners {
        runner.start().await.unwrap();
        let asking = Arc::clone(&runner);
        let caller = Caller::of(async move { asking.reload().await }).await;
        let _ = tokio::time::timeout(2 * SECOND, runner.wait()).await;
        let _ = runner.stop_within(SECOND).await;
        assert!(matches!(caller.outcome().await, Err(ReloadError::Stopped)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_run_drops_while_it_goes_on_is_done() {
    let runner = Runner::new(service_fn(async |cx: Context| {
        drop(cx.reloaded().await);
        cx.cancelled().await;
    }));
    runner.start().await.unwrap();
    within(runner.reload()).await.unwrap();
    runner.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_reload_request_waits_for_the_end_of_the_start() {
    let service = service_fn(async |cx: Context| {
        tokio::time::sleep(2 * SECOND).await;
        cx.ready();
        cx.reloaded().await.done();
        cx.cancelled().await;
    });
    let runner = Runner::with_settings(service, Settings::new().readiness(Readiness::Explicit));
    runner.request_start();
    let caller = asked(&runner).await;
    tokio::time::sleep(SECOND).await;
    assert!(caller.is_waiting());
    caller.outcome().await.unwrap();
    assert!(runner.is_running());
    runner.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_start_that_fails_stops_the_request() {
    let service = service_fn(async |_cx: Context| {
        tokio::time::sleep(SECOND).await;
        Err::<(), _>("no route")
    });
    let runner = Runner::with_settings(service, Settings::new().readiness(Readiness::Explicit));
    runner.request_start();
    let caller = asked(&runner).await;
    assert!(matches!(caller.outcome().await, Err(ReloadError::Stopped)));
    assert_eq!(runner.state(), State::Stopped);
}

#[tokio::test(start_paused = true)]
async fn each_task_that_waits_gets_a_reload_and_all_have_to_answer() {
    let (send, mut requests) = unbounded_channel();
    let runner = Runner::new(service_fn(move |cx: Context| {
        let send = send.clone();
        async move {
            for _ in 0..3 {
                let (send, of_task) = (send.clone(), cx.clone());
                cx.spawn(async move {
                    let reload = of_task.run_until_cancelled(of_task.reloaded()).await;
                    send.send(reload.unwrap()).unwrap();
                });
            }
            cx.cancelled().await;
        }
    }));
    runner.start().await.unwrap();
    idle().await;
    let caller = asked(&runner).await;
    let first = within(requests.recv()).await.unwrap();
    let second = within(requests.recv()).await.unwrap();
    let third = within(requests.recv()).await.unwrap();
    first.done();
    second.failed("no");
    idle().await;
    assert!(caller.is_waiting());
    third.done();
    assert!(matches!(
        caller.outcome().await,
        Err(ReloadError::Failed(_))
    ));
    runner.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn dropping_the_future_takes_nothing_back() {
    let (runner, mut requests) = handing_out();
    runner.start().await.unwrap();
    asked(&runner).await.give_up().await;
    within(requests.recv()).await.unwrap().done();
}

#[tokio::test(start_paused = true)]
async fn a_reload_is_told_from_its_begin_to_its_answer() {
    let runner = Runner::new(answering(false));
    runner.start().await.unwrap();
    let mut events = runner.events();
    let _ = within(runner.reload()).await;
    let told: Vec<_> = std::iter::from_fn(|| events.try_next()).collect();
    assert!(matches!(told[0].kind(), EventKind::Reloading));
    assert!(matches!(told[1].kind(), EventKind::Failed(_)));
    assert!(matches!(
        told[2].kind(),
        EventKind::Reloaded(Err(ReloadError::Failed(_)))
    ));
    assert_eq!(told.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_group_passes_it_on_in_the_order_of_the_starts() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let member = |name: &'static str| {
        let order = Arc::clone(&order);
        service_fn(move |cx: Context| {
            let order = Arc::clone(&order);
            async move {
                while let Some(reload) = cx.run_until_cancelled(cx.reloaded()).await {
                    order.lock().await.push(format!("+{name}"));
                    tokio::time::sleep(SECOND).await;
                    order.lock().await.push(format!("-{name}"));
                    reload.done();
                }
            }
        })
    };
    let app = Group::builder("app")
        .with("http", Member::new(member("http")).after(["db"]))
        .with("job", once(async |_cx| ()))
        .with("deaf", deaf())
        .with("db", member("db"));
    let app = Runner::new(app.build().unwrap());
    app.start().await.unwrap();
    within(app.reload()).await.unwrap();
    assert_eq!(*order.lock().await, ["+db", "-db", "+http", "-http"]);
    app.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_first_failure_in_a_group_is_the_answer_and_the_others_are_asked() {
    let group = Group::builder("app")
        .with("one", answering(true))
        .then("two", answering(false))
        .then("three", answering(false))
        .then("four", answering(true));
    let app = Runner::new(group.build().unwrap());
    app.start().await.unwrap();
    let mut four = app.service().get("four").unwrap().events();
    let Err(ReloadError::Failed(failure)) = within(app.reload()).await else {
        panic!()
    };
    assert_eq!(failure.path(), "app/two");
    assert!(matches!(
        four.try_next().unwrap().kind(),
        EventKind::Reloading
    ));
    assert!(app.is_running());
    app.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_group_in_which_nobody_supports_it_does_not() {
    let failed = once(async |_cx| Err::<(), _>("no"));
    let group = Group::builder("app")
        .with("deaf", deaf())
        .with("failed", Member::new(failed).on_failure(OnFailure::Ignore));
    let app = Runner::new(group.build().unwrap());
    app.start().await.unwrap();
    assert!(matches!(
        within(app.reload()).await,
        Err(ReloadError::NotSupported)
    ));
    let empty = Runner::new(Group::builder("empty").build().unwrap());
    empty.start().await.unwrap();
    assert!(matches!(
        within(empty.reload()).await,
        Err(ReloadError::NotSupported)
    ));
    let outer = Runner::new(Runner::new(answering(false)));
    outer.start().await.unwrap();
    assert!(matches!(
        within(outer.reload()).await,
        Err(ReloadError::Failed(_))
    ));
    outer.stop().await.unwrap();
}
