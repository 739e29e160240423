//! The events of one runner.

use std::time::Duration;

use startstop_core::{
    Backoff, EventKind, Exit, Readiness, RestartPolicy, Runner, Settings, StopReason, once,
    service_fn,
};

use super::lines;
use crate::support::SECOND;

#[tokio::test(start_paused = true)]
async fn a_start_and_a_stop_are_told_in_order() {
    let runner = Runner::with_settings(
        service_fn(async |cx| cx.cancelled().await),
        Settings::new().name("idle"),
    );
    let mut events = runner.events();
    runner.start().await.unwrap();
    tokio::time::sleep(3 * SECOND).await;
    runner.stop().await.unwrap();

    let told: Vec<_> = std::iter::from_fn(|| events.try_next()).collect();
    let at: Vec<_> = told
        .iter()
        .map(|it| (it.path(), it.cycle(), it.attempt()))
        .collect();
    assert_eq!(at, [("idle", 1, 1); 4]);
    assert!(matches!(told[0].kind(), EventKind::Starting));
    assert!(matches!(told[1].kind(), EventKind::Ready { after } if after.is_zero()));
    assert!(matches!(
        told[2].kind(),
        EventKind::Stopping(StopReason::Requested)
    ));
    let EventKind::Stopped { exit, ran } = told[3].kind() else {
        panic!("{told:?}")
    };
    assert_eq!((*exit, *ran), (Exit::Stopped, 3 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn readiness_counts_from_the_start_of_the_attempt() {
    let service = service_fn(async |cx| {
        tokio::time::sleep(2 * SECOND).await;
        cx.ready();
        cx.cancelled().await;
    });
    let runner = Runner::with_settings(service, Settings::new().readiness(Readiness::Explicit));
    let mut events = runner.events();
    runner.start().await.unwrap();
    events.next().await.unwrap();
    let ready = events.next().await.unwrap();
    assert!(matches!(ready.kind(), EventKind::Ready { after } if *after == 2 * SECOND));
    runner.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_job_tells_that_it_is_ready_and_how_long_it_took() {
    let runner = Runner::new(once(async |_cx| tokio::time::sleep(2 * SECOND).await));
    let mut events = runner.events();
    runner.start().await.unwrap();
    runner.wait().await;
    let told: Vec<_> = std::iter::from_fn(|| events.try_next()).collect();
    assert!(matches!(told[1].kind(), EventKind::Ready { after } if *after == 2 * SECOND));
    let EventKind::Stopped { exit, ran } = told[2].kind() else {
        panic!("{told:?}")
    };
    assert_eq!((*exit, *ran), (Exit::Completed, 2 * SECOND));
    assert_eq!(told.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_restart_of_a_policy_tells_the_failure_the_delay_and_the_attempt() {
    let service = service_fn(async |cx| {
        if cx.attempt() == 1 {
            return Err("connection refused");
        }
        cx.cancelled().await;
        Ok(())
    });
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(SECOND));
    let runner = Runner::with_settings(service, Settings::new().name("db").restart(policy));
    let mut events = runner.events();
    runner.start().await.unwrap();
    tokio::time::sleep(2 * SECOND).await;
    runner.restart().await.unwrap();
    runner.stop().await.unwrap();
    let told: Vec<_> = std::iter::from_fn(|| events.try_next()).collect();
    let attempts: Vec<u64> = told.iter().map(startstop_core::Event::attempt).collect();
    assert_eq!(attempts, [1, 1, 1, 1, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1]);
    let cycles: Vec<u64> = told.iter().map(startstop_core::Event::cycle).collect();
    assert_eq!(cycles, [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2]);
    let EventKind::Backoff { delay, attempt } = told[3].kind() else {
        panic!("{told:?}")
    };
    assert_eq!((*delay, *attempt), (SECOND, 2));
    assert!(matches!(told[2].kind(), EventKind::Failed(failure) if failure.path() == "db"));
    assert!(matches!(
        told[6].kind(),
        EventKind::Stopping(StopReason::Restart)
    ));
}

#[tokio::test(start_paused = true)]
async fn a_drain_and_an_abort_are_told() {
    let settings = Settings::new()
        .name("stubborn")
        .drain(SECOND)
        .stop_timeout(SECOND);
    let runner = Runner::with_settings(
        service_fn(async |_cx| std::future::pending::<()>().await),
        settings,
    );
    let mut events = runner.events();
    runner.start().await.unwrap();
    runner.stop().await.unwrap_err();
    let told = lines(&mut events);
    assert_eq!(
        told,
        [
            "stubborn starting",
            "stubborn ready",
            "stubborn stopping requested",
            "stubborn draining",
            "stubborn timed out in run: did not end within 1s and was aborted",
            "stubborn aborting",
            "stubborn stopped aborted",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn the_line_of_a_failure_says_what_came_to_pass_and_in_which_task() {
    let service = service_fn(async |cx| {
        cx.report("slow");
        cx.spawn_named("reader", async { Err::<(), _>("eof") });
        cx.spawn(async { panic!("no more") });
        cx.join_tasks().await;
        Err::<(), _>("gone")
    });
    let runner = Runner::with_settings(service, Settings::new().name("shop"));
    let mut events = runner.events();
    runner.start().await.unwrap();
    runner.wait().await;
    let failures: Vec<String> = std::iter::from_fn(|| events.try_next())
        .filter(|event| matches!(event.kind(), EventKind::Failed(_)))
        .map(|event| event.to_string())
        .collect();
    assert_eq!(
        failures,
        [
            "shop reported an error in run: slow",
            "shop failed in task \"reader\": eof",
            "shop panicked in task: panicked: no more",
            "shop failed in run: gone",
        ]
    );
}

#[tokio::test]
async fn a_state_that_is_seen_has_its_event_already() {
    let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    for _ in 0..20 {
        let mut events = runner.events();
        let starter = tokio::spawn({
            let runner = runner.clone();
            async move { runner.start().await }
        });
        while !runner.is_running() {
            tokio::time::sleep(Duration::ZERO).await;
        }
        assert_eq!(lines(&mut events).len(), 2);
        starter.await.unwrap().unwrap();
        runner.stop().await.unwrap();
        assert_eq!(lines(&mut events).len(), 2);
    }
}
