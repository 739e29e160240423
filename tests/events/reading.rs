//! The reader of a stream: too slow, late, gone.

use std::sync::Arc;

use startstop_core::{Context, EventKind, Runner, Service, service_fn};

use super::lines;

fn idle() -> impl Service {
    service_fn(async |cx: Context| cx.cancelled().await)
}

#[tokio::test]
async fn a_reader_that_is_too_slow_is_told_how_many_it_has_missed() {
    let runner = Runner::new(idle());
    let mut events = runner.events_with_capacity(3);
    runner.start().await.unwrap();
    runner.stop().await.unwrap();
    runner.start().await.unwrap();
    let first = events.try_next().unwrap();
    assert!(matches!(first.kind(), EventKind::Missed(3)));
    assert_eq!(first.path(), runner.name());
    assert_eq!(lines(&mut events).len(), 3);
    runner.stop().await.unwrap();
    assert_eq!(lines(&mut events).len(), 2);
}

#[tokio::test]
async fn the_stream_ends_when_the_runner_is_gone_and_all_is_read() {
    let runner = Runner::new(idle());
    let mut events = runner.events();
    runner.start().await.unwrap();
    drop(runner);
    let mut count = 0;
    while events.next().await.is_some() {
        count += 1;
    }
    assert_eq!(count, 4);
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn the_stream_of_a_runner_that_never_ran_ends_with_it() {
    let runner = Runner::new(idle());
    let mut events = runner.events();
    assert!(events.try_next().is_none());
    drop(runner);
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn a_stream_does_not_keep_the_value_alive() {
    let value = Arc::new(());
    let held = Arc::clone(&value);
    let runner = Runner::new(service_fn(move |cx: Context| {
        let held = Arc::clone(&held);
        async move {
            cx.cancelled().await;
            drop(held);
        }
    }));
    let events = runner.events();
    runner.start().await.unwrap();
    runner.stop().await.unwrap();
    drop(runner);
    tokio::task::yield_now().await;
    assert_eq!(Arc::strong_count(&value), 1);
    drop(events);
}

#[tokio::test]
async fn each_reader_gets_every_event_from_its_call_on() {
    let runner = Runner::new(idle());
    let mut first = runner.events();
    runner.start().await.unwrap();
    let mut second = runner.events();
    runner.stop().await.unwrap();
    assert_eq!((lines(&mut first).len(), lines(&mut second).len()), (4, 2));
    drop(first);
    runner.start().await.unwrap();
    assert_eq!(lines(&mut second).len(), 2);
    runner.stop().await.unwrap();
}
