//! A service that is replaced while it runs.

mod generation;
mod meanwhile;

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use startstop_core::{
    Cause, Context, EventKind, Exit, Group, Phase, RestartPolicy, Runner, StartError, State,
};
use startstop_host::Replaceable;
use tokio::sync::watch;
use tokio::time::Instant;

use generation::{Act, SECOND, Shared, begun, parts, started, within};

#[tokio::test(start_paused = true)]
async fn the_old_one_is_stopped_when_its_successor_is_ready() {
    let shared = Arc::<Shared>::default();
    let runner = started(&shared).await;
    assert_eq!(
        (runner.name(), parts(&runner)),
        ("api", vec!["api/1".to_owned()])
    );
    for number in 2..=20 {
        within(runner.service().replace()).await.unwrap();
        assert_eq!(
            parts(&runner),
            [format!("api/{number}")],
            "what has ended is no part"
        );
        assert_eq!(runner.service().current().service().number, number);
    }
    assert_eq!(shared.logged()[..6], ["+1", "!1", "+2", "!2", "-1", "+3"]);
    within(runner.stop()).await.unwrap();
    assert_eq!(shared.logged().last().unwrap(), "-20");
    assert!(runner.errors_list().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_old_one_goes_on_until_then_and_a_second_call_waits() {
    let shared = Arc::<Shared>::default();
    let runner = started(&shared).await;
    shared.held.lock().unwrap().push(2);
    let first = begun(&runner, "2").await;
    let old = runner.service().current();
    assert_eq!(
        (old.service().number, old.is_ready(), runner.is_ready()),
        (1, true, true)
    );
    let asks = runner.clone();
    let second = tokio::spawn(async move { asks.service().replace().await });
    tokio::task::yield_now().await;
    assert_eq!(shared.made.load(Ordering::SeqCst), 2);
    shared.release.notify_one();
    within(first).await.unwrap().unwrap();
    within(second).await.unwrap().unwrap();
    assert_eq!(
        shared.logged(),
        ["+1", "!1", "+2", "!2", "-1", "+3", "!3", "-2"]
    );
    within(runner.stop()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_successor_that_fails_changes_nothing() {
    let shared = Arc::<Shared>::default();
    let runner = started(&shared).await;
    shared.fails.lock().unwrap().push(2);
    let error = within(runner.service().replace()).await.unwrap_err();
    let StartError::Failed(failure) = error else {
        panic!("{error}")
    };
    assert_eq!(
        (failure.error().to_string().as_str(), failure.path()),
        ("no licence", "api/2")
    );
    assert!(runner.is_ready());
    assert_eq!(parts(&runner), ["api/1"]);
    within(runner.service().replace()).await.unwrap();
    assert_eq!(parts(&runner), ["api/3"]);
    within(runner.stop()).await.unwrap();
    assert_eq!(shared.logged(), ["+1", "!1", "+2", "+3", "!3", "-1", "-3"]);
}

#[tokio::test]
async fn a_panic_of_the_factory_is_that_of_the_caller_and_changes_nothing() {
    let makes = std::sync::atomic::AtomicU32::new(0);
    let runner = Runner::new(Replaceable::new(move || {
        let made = makes.fetch_add(1, Ordering::SeqCst);
        assert!(made != 1, "no licence");
        startstop_core::service_fn(async |cx: Context| cx.cancelled().await)
    }));
    runner.start().await.unwrap();
    let asks = runner.clone();
    let asked = tokio::spawn(async move { asks.service().replace().await });
    let panic = asked.await.unwrap_err().into_panic();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"no licence"));
    assert!(runner.is_ready());
    assert_eq!(parts(&runner).len(), 1);
    assert_eq!(runner.errors_list().len(), 1, "it is reported");
    runner.service().replace().await.unwrap();
    runner.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stop_stops_both_and_the_caller_hears_of_it() {
    let shared = Arc::<Shared>::default();
    let runner = started(&shared).await;
    shared.held.lock().unwrap().push(2);
    let call = begun(&runner, "2").await;
    within(runner.stop()).await.unwrap();
    assert!(matches!(
        within(call).await.unwrap(),
        Err(StartError::Stopped)
    ));
    assert_eq!(shared.logged(), ["+1", "!1", "+2", "-1"]);
    assert!(parts(&runner).is_empty());
    assert!(matches!(
        within(runner.service().replace()).await,
        Err(StartError::Stopped)
    ));
    assert_eq!(runner.state(), State::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_start_after_a_stop_runs_the_current_one_again() {
    let shared = Arc::<Shared>::default();
    let runner = started(&shared).await;
    within(runner.service().replace()).await.unwrap();
    within(runner.restart()).await.unwrap();
    assert_eq!(parts(&runner), ["api/2"]);
    within(runner.service().replace()).await.unwrap();
    within(runner.stop()).await.unwrap();
    assert_eq!(
        shared.logged()[4..],
        ["-1", "-2", "+2", "!2", "+3", "!3", "-2", "-3"]
    );
}

#[tokio::test(start_paused = true)]
async fn the_first_one_that_fails_fails_the_start() {
    let shared = Arc::<Shared>::default();
    shared.fails.lock().unwrap().push(1);
    let runner = Runner::new(shared.service());
    let error = within(runner.start()).await.unwrap_err();
    assert!(format!("{error:?}").contains("no licence"), "{error:?}");
    within(runner.wait()).await;
    assert_eq!((runner.state(), shared.logged().len()), (State::Stopped, 1));
}

#[tokio::test(start_paused = true)]
async fn a_replaceable_service_ends_as_the_current_generation_does() {
    for (act, expected) in [
        (Act::Completes, Exit::Completed),
        (Act::Breaks, Exit::Failed),
    ] {
        let shared = Arc::<Shared>::default();
        let runner = started(&shared).await;
        shared.then.lock().unwrap().push((2, act));
        within(runner.service().replace()).await.unwrap();
        shared.release.notify_one();
        assert_eq!(within(runner.wait()).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_replaceable_service_is_ready_only_while_the_current_generation_is() {
    let shared = Arc::<Shared>::default();
    let policy = RestartPolicy::on_failure();
    shared.then.lock().unwrap().push((1, Act::Breaks));
    let runner = Runner::new(shared.with(policy));
    within(runner.start()).await.unwrap();
    let mut events = runner.events();
    shared.release.notify_one();
    let (mut seen, begun) = (Vec::new(), Instant::now());
    while seen.last().is_none_or(|last| last != "ready") {
        let event = within(events.next()).await.unwrap();
        match event.kind() {
            EventKind::NotReady(reason) if event.path() == "api" => seen.push(reason.to_string()),
            EventKind::Ready { .. } if event.path() == "api" => seen.push("ready".to_owned()),
            _ => {}
        }
    }
    assert!(
        seen.len() >= 2 && begun.elapsed() > Duration::ZERO,
        "{seen:?}"
    );
    assert!(runner.is_ready());
    within(runner.stop()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_old_one_that_lingers_is_aborted_and_that_is_reported() {
    let shared = Arc::<Shared>::default();
    shared.then.lock().unwrap().push((1, Act::Lingers));
    let runner = started(&shared).await;
    let begun = Instant::now();
    within(runner.service().replace()).await.unwrap();
    assert_eq!(begun.elapsed(), 3 * SECOND);
    let failure = runner.errors_last().unwrap();
    assert_eq!(
        (failure.phase(), failure.cause()),
        (Phase::Run, Cause::Reported)
    );
    assert_eq!(
        failure.error().to_string(),
        "did not end in time and was aborted"
    );
    assert!(runner.is_ready());
    assert_eq!(parts(&runner), ["api/2"]);
    within(runner.stop()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_replacement_goes_on_without_the_future_that_asked_for_it() {
    let shared = Arc::<Shared>::default();
    let runner = started(&shared).await;
    shared.held.lock().unwrap().push(2);
    let call = begun(&runner, "2").await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    let old = runner.service().current();
    shared.release.notify_one();
    within(old.wait()).await;
    within(runner.service().replace()).await.unwrap();
    assert_eq!(
        shared.logged(),
        ["+1", "!1", "+2", "!2", "-1", "+3", "!3", "-2"]
    );
    within(runner.stop()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_replaceable_service_is_a_member_like_any_other() {
    let shared = Arc::<Shared>::default();
    let group = Group::builder("shop")
        .with("api", shared.service())
        .build()
        .unwrap();
    let runner = Runner::new(group);
    assert_eq!(
        runner.grace_period(),
        5 * SECOND,
        "that of the service: 3 s and 2 s"
    );
    within(runner.start()).await.unwrap();
    assert!(runner.find("shop/api/1").unwrap().is_running());
    within(runner.stop()).await.unwrap();
}

/// Two generations share what only one can have.
#[tokio::test]
async fn clients_of_a_shared_listener_notice_nothing() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = Arc::new(tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap());
    let addr = listener.local_addr().unwrap();
    let runner = Runner::new(Replaceable::new(move || {
        let listener = Arc::clone(&listener);
        startstop_core::service_fn(move |cx: Context| {
            let listener = Arc::clone(&listener);
            async move {
                while let Some(client) = cx.run_until_cancelled(listener.accept()).await {
                    client?.0.write_all(b"hello").await?;
                }
                io::Result::Ok(())
            }
        })
    }));
    runner.start().await.unwrap();
    let (done, over) = watch::channel(false);
    let client = tokio::spawn(async move {
        let mut served = 0;
        while !*over.borrow() {
            let mut text = String::new();
            let mut socket = tokio::net::TcpStream::connect(addr).await.unwrap();
            socket.read_to_string(&mut text).await.unwrap();
            assert_eq!(text, "hello");
            served += 1;
        }
        served
    });
    for _ in 0..20 {
        runner.service().replace().await.unwrap();
        tokio::task::yield_now().await;
    }
    done.send(true).unwrap();
    assert!(client.await.unwrap() > 0);
    runner.stop().await.unwrap();
}
