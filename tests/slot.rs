//! Values between members.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context as Task, Poll, Wake, Waker};

use startstop_core::{
    Context, Exit, Group, Readiness, Runner, Settings, Slot, State, service_fn, service_fn_with,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::support::{PanicsInDrop, within};

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
async fn a_holder_of_the_old_value_keeps_it_while_its_member_is_restarted() {
    let slot = Slot::new();
    let db = numbered(slot.clone());
    let look_again = Arc::new(Notify::new());
    let (told, seen) = tokio::sync::mpsc::unbounded_channel();
    let reader = service_fn_with(
        (slot.clone(), told, look_again.clone()),
        async |state, cx| {
            let (slot, told, look_again) = &*state;
            let Some(old) = slot.wait(&cx).await else {
                return;
            };
            cx.run_until_cancelled(look_again.notified()).await;
            let Some(new) = slot.wait(&cx).await else {
                return;
            };
            told.send((*old, *new)).unwrap();
            cx.cancelled().await;
        },
    );
    let group = Group::builder("app")
        .with("db", db.clone())
        .then("reader", reader)
        .build()
        .unwrap();
    let app = Runner::new(group);
    app.start().await.unwrap();
    db.restart().await.unwrap();
    look_again.notify_one();
    let mut seen = seen;
    assert_eq!(seen.recv().await, Some((1, 2)));
    assert!(
        app.service().get("reader").unwrap().is_running(),
        "the dependent is left running"
    );
    app.stop().await.unwrap();
    assert!(slot.get().is_none(), "the slot is emptied with the attempt");
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_wait_for_a_value() {
    let slot = Slot::<u32>::new();
    let waits = service_fn_with(slot, async |slot, cx| {
        assert!(slot.wait(&cx).await.is_none());
    });
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
async fn a_waiter_for_a_value_is_woken_by_it() {
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

/// A context whose attempt has ended: the runner goes on with the next one.
async fn outlived() -> (Runner<impl startstop_core::Service>, Context) {
    let (give, mut given) = tokio::sync::mpsc::unbounded_channel();
    let runner = Runner::new(service_fn_with(give, async |give, cx| {
        let _ = give.send(cx.clone());
        cx.cancelled().await;
    }));
    runner.start().await.unwrap();
    let cx = given.recv().await.unwrap();
    runner.restart().await.unwrap();
    (runner, cx)
}

#[tokio::test(start_paused = true)]
async fn a_context_that_outlives_its_attempt_leaves_what_another_has_put_there() {
    let slot = Slot::new();
    let db = numbered(slot.clone());
    db.start().await.unwrap();
    let (runner, late) = outlived().await;
    slot.fill(&late, 7);
    assert_eq!(slot.get().as_deref(), Some(&1));
    runner.stop().await.unwrap();
    assert_eq!(slot.get().as_deref(), Some(&1));
    db.stop().await.unwrap();
    assert!(slot.get().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_value_may_use_the_slot_in_its_drop() {
    struct Looks(Slot<Looks>, tokio::sync::mpsc::UnboundedSender<bool>);
    impl Drop for Looks {
        fn drop(&mut self) {
            let _ = self.1.send(self.0.get().is_some());
        }
    }
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let slot = Slot::new();
    let (_runner, late) = outlived().await;
    let cx = Context::detached(CancellationToken::new());
    slot.fill(&late, Looks(slot.clone(), tell.clone()));
    assert_eq!(told.try_recv(), Ok(false), "it came too late");
    slot.fill(&cx, Looks(slot.clone(), tell.clone()));
    slot.fill(&cx, Looks(slot.clone(), tell));
    assert_eq!(told.try_recv(), Ok(true), "it was replaced");
}

#[tokio::test(start_paused = true)]
async fn a_value_filled_by_a_detached_context_stays_until_it_is_replaced() {
    let slot = Slot::new();
    let token = CancellationToken::new();
    let cx = Context::detached(token.clone());
    slot.fill(&cx, 7);
    token.cancel();
    drop(cx);
    assert_eq!(slot.get().as_deref(), Some(&7));
    let db = numbered(slot.clone());
    db.start().await.unwrap();
    assert_eq!(slot.get().as_deref(), Some(&1));
    db.stop().await.unwrap();
    assert!(slot.get().is_none());
}

#[tokio::test(start_paused = true)]
async fn the_slot_is_filled_though_the_old_value_panics_in_its_drop() {
    let slot = Slot::<Option<PanicsInDrop>>::new();
    let cx = Context::detached(CancellationToken::new());
    let waits = tokio::spawn({
        let (slot, cx) = (slot.clone(), cx.clone());
        async move { slot.wait(&cx).await.is_some_and(|value| value.is_none()) }
    });
    let fills = service_fn_with(slot.clone(), async |slot, cx| {
        slot.fill(&cx, Some(PanicsInDrop("the old value")));
        slot.fill(&cx, None);
    });
    let settings = Settings::new().readiness(Readiness::Explicit);
    let runner = Runner::with_settings(fills, settings);
    let _ = runner.start().await;
    assert_eq!(runner.wait().await, Exit::Failed);
    assert!(
        slot.get().is_none(),
        "it is emptied at the end of the attempt"
    );
    slot.fill(&cx, None);
    assert!(within(waits).await.unwrap());
}

/// A waker that is counted.
struct Counted;

impl Wake for Counted {
    fn wake(self: Arc<Self>) {}
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_gives_up_leaves_nothing_behind() {
    let slot = Slot::<u32>::new();
    let cx = Context::detached(CancellationToken::new());
    let counted = Arc::new(Counted);
    let waker = Waker::from(Arc::clone(&counted));
    let before = Arc::strong_count(&counted);
    {
        let mut waits = pin!(slot.wait(&cx));
        assert_eq!(
            waits.as_mut().poll(&mut Task::from_waker(&waker)),
            Poll::Pending
        );
        assert!(Arc::strong_count(&counted) > before, "it waits");
    }
    assert_eq!(Arc::strong_count(&counted), before);
}

#[test]
fn a_slot_says_whether_it_is_filled_and_not_with_what() {
    let slot = Slot::new();
    assert_eq!(format!("{slot:?}"), "Slot { filled: false, .. }");
    slot.fill(&Context::detached(CancellationToken::new()), "a secret");
    assert_eq!(format!("{slot:?}"), "Slot { filled: true, .. }");
}
