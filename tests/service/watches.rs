//! Watches on the state, and on slots.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as Task, Wake, Waker};

use startstop_core::{Context, Runner, Service, Slot, State, service_fn};
use tokio_util::sync::CancellationToken;

use crate::support::{Caller, idle, within};

/// Keeps nothing but a count of who holds it.
struct Held;

impl Wake for Held {
    fn wake(self: Arc<Self>) {}
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_gives_up_leaves_nothing_behind() {
    let (runner, _gone) = held();
    let held = Arc::new(Held);
    let waker = Waker::from(Arc::clone(&held));
    let mut watch = runner.subscribe();
    let mut change = Box::pin(watch.changed());
    assert!(
        change
            .as_mut()
            .poll(&mut Task::from_waker(&waker))
            .is_pending()
    );
    assert_eq!(Arc::strong_count(&held), 3, "the runner would wake it");
    drop(change);
    assert_eq!(Arc::strong_count(&held), 2);
}

struct Holder(Arc<AtomicBool>);

impl Drop for Holder {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Service for Holder {
    type Error = String;

    async fn run(&self, cx: Context) -> Result<(), String> {
        cx.cancelled().await;
        Ok(())
    }
}

fn held() -> (Runner<Holder>, Arc<AtomicBool>) {
    let gone = Arc::new(AtomicBool::new(false));
    (Runner::new(Holder(Arc::clone(&gone))), gone)
}

#[tokio::test(start_paused = true)]
async fn the_service_goes_with_its_runner_and_not_with_its_watch() {
    for started in [true, false] {
        let (runner, gone) = held();
        let mut watch = runner.subscribe();
        if started {
            runner.start().await.unwrap();
            runner.stop().await.unwrap();
        }
        drop(runner);
        idle().await;
        assert!(gone.load(Ordering::SeqCst));
        assert_eq!(watch.get(), State::Stopped);
        assert_eq!(within(watch.changed()).await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_waits_sees_the_end_of_a_service_that_goes_with_it() {
    let (runner, gone) = held();
    runner.start().await.unwrap();
    let mut watch = runner.subscribe();
    let seen = Caller::of(async move {
        let mut seen = Vec::new();
        while let Some(state) = watch.changed().await {
            seen.push(state);
        }
        seen
    });
    let seen = seen.await;
    assert!(seen.is_waiting());
    drop(runner);
    assert_eq!(seen.outcome().await.last(), Some(&State::Stopped));
    assert!(gone.load(Ordering::SeqCst));
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_looks_late_finds_that_the_service_has_stopped() {
    let (runner, _gone) = held();
    runner.start().await.unwrap();
    let mut watch = runner.subscribe();
    drop(runner);
    idle().await;
    assert_eq!(within(watch.changed()).await, Some(State::Stopped));
    assert_eq!(within(watch.changed()).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_watch_of_a_slot_gives_each_value_once_and_the_newest_first() {
    let token = CancellationToken::new();
    let cx = Context::detached(token.clone());
    let slot = Slot::new();
    slot.fill(&cx, 1);
    slot.fill(&cx, 2);
    let mut values = slot.watch();
    assert_eq!(within(values.next(&cx)).await.as_deref(), Some(&2));
    let mut later = values.clone();
    let (waits, other) = (cx.clone(), slot.watch());
    let next = Caller::of(async move { later.next(&waits).await.as_deref().copied() }).await;
    assert!(next.is_waiting(), "the present one was given");
    slot.fill(&cx, 3);
    assert_eq!(next.outcome().await, Some(3));
    assert_eq!(within(values.next(&cx)).await.as_deref(), Some(&3));
    token.cancel();
    assert_eq!(within(values.next(&cx)).await, None);
    drop(other);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_was_emptied_is_not_given() {
    let slot = Slot::new();
    let fills = slot.clone();
    let runner = Runner::new(service_fn(move |cx: Context| {
        fills.fill(&cx, cx.cycle());
        async move { cx.cancelled().await }
    }));
    let cx = Context::detached(CancellationToken::new());
    let mut values = slot.watch();
    runner.start().await.unwrap();
    assert_eq!(within(values.next(&cx)).await.as_deref(), Some(&1));
    runner.restart().await.unwrap();
    assert_eq!(within(values.next(&cx)).await.as_deref(), Some(&2));
    let mut late = slot.watch();
    runner.stop().await.unwrap();
    let next = Caller::of(async move { late.next(&cx).await }).await;
    assert!(next.is_waiting());
    next.give_up().await;
}
