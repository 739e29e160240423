//! Values between members.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use startstop_core::{
    Group, Readiness, Runner, Settings, Slot, State, service_fn, service_fn_with,
};
use tokio::sync::Notify;

use crate::support::within;

/// Fills the slot with the number of its attempt.
fn numbered(slot: Slot<u32>) -> Runner<impl startstop_core::Service> {
    let db = service_fn_with((slot, AtomicU32::new(0)), async |state, cx| {
        let (slot, attempts) = &*state;
        slot.fill(&cx, attempts.fetch_add(1, Ordering::SeqCst) + 1);
        cx.cancelled().await;
    });
    Runner::with_settings(db, Settings::new().readiness(Readiness::Explicit))
}

#[tokio::test(start_paused = true)]
async fn who_holds_the_old_value_keeps_it_while_its_member_is_restarted() {
    let slot = Slot::new();
    let db = numbered(slot.clone());
    let look_again = Arc::new(Notify::new());
    let (told, seen) = tokio::sync::mpsc::unbounded_channel();
    let reader = service_fn_with((slot.clone(), told, look_again.clone()), async |state, cx| {
        let (slot, told, look_again) = &*state;
        let Some(old) = slot.wait(&cx).await else { return };
        cx.run_until_cancelled(look_again.notified()).await;
        let Some(new) = slot.wait(&cx).await else { return };
        told.send((*old, *new)).unwrap();
        cx.cancelled().await;
    });
    let group =
        Group::builder("app").with("db", db.clone()).then("reader", reader).build().unwrap();
    let app = Runner::new(group);
    app.start().await.unwrap();
    db.restart().await.unwrap();
    look_again.notify_one();
    let mut seen = seen;
    assert_eq!(seen.recv().await, Some((1, 2)));
    assert!(app.service().get("reader").unwrap().is_running(), "the dependent is left running");
    app.stop().await.unwrap();
    assert!(slot.get().is_none(), "the slot is emptied with the attempt");
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_wait_for_a_value() {
    let slot = Slot::<u32>::new();
    let waits = service_fn_with(slot, async |slot, cx| assert!(slot.wait(&cx).await.is_none()));
    let runner = Runner::new(waits);
    runner.start().await.unwrap();
    runner.stop().await.unwrap();
    assert_eq!(runner.state(), State::Stopped);
    assert!(runner.errors_list().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_context_that_outlives_its_attempt_fills_nothing() {
    let (keep, kept) = tokio::sync::oneshot::channel();
    let keep = std::sync::Mutex::new(Some(keep));
    let runner = Runner::new(service_fn(move |cx| {
        let keep = keep.lock().unwrap().take();
        async move {
            let _ = keep.unwrap().send(cx);
        }
    }));
    runner.start().await.unwrap();
    runner.wait().await;
    let slot = Slot::new();
    slot.fill(&kept.await.unwrap(), 1);
    assert!(slot.get().is_none());
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_value_is_woken_by_it() {
    let slot = Slot::new();
    let (told, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let reader = service_fn_with((slot.clone(), told), async |state, cx| {
        let (slot, told) = &*state;
        told.send(None).unwrap();
        told.send(slot.wait(&cx).await.as_deref().copied()).unwrap();
    });
    let (reader, db) = (Runner::new(reader), numbered(slot));
    reader.start().await.unwrap();
    assert_eq!(seen.recv().await, Some(None), "it waits");
    assert!(seen.try_recv().is_err());
    db.start().await.unwrap();
    assert_eq!(within(seen.recv()).await, Some(Some(1)));
    db.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_end_of_one_who_filled_it_leaves_what_another_has_put_there_since() {
    let slot = Slot::new();
    let (first, second) = (numbered(slot.clone()), numbered(slot.clone()));
    first.start().await.unwrap();
    second.start().await.unwrap();
    let filled = slot.get().unwrap();
    first.stop().await.unwrap();
    assert!(slot.get().is_some_and(|now| Arc::ptr_eq(&now, &filled)));
    second.stop().await.unwrap();
    assert!(slot.get().is_none());
}
