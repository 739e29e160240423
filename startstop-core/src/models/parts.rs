//! Models of the parts of an attempt beside `run`, on threads of its own: promise 5 and invariant 2 of
//! `lifecycle`. And what wakes across services: a slot, the change queue of a group.

use std::sync::Arc;
use std::sync::Mutex as Plain;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use loom::thread;

use super::{model, runner, started, started_with_context};
use crate::engine::attempt_guard::AttemptGuard;
use crate::group::Group;
use crate::report::state::{Exit, State};
use crate::service::Service;
use crate::service::context::Context;
use crate::service::func::{once, service_fn};
use crate::service::slot::Slot;
use crate::sync::{CancellationToken, block_on};

#[test]
fn a_cycle_ends_after_what_holds_a_place_in_it() {
    model(Some(2), || {
        let taken = Arc::new(Plain::new(None));
        let take = Arc::clone(&taken);
        let runner = started(service_fn(move |cx: Context| {
            *take.lock().unwrap() = AttemptGuard::held(&cx).ok().flatten();
            async move { cx.cancelled().await }
        }));
        let place = taken.lock().unwrap().take().expect("run was entered");
        let left = Arc::new(AtomicBool::new(false));
        let leaves = Arc::clone(&left);
        let holds = thread::spawn(move || {
            leaves.store(true, Ordering::SeqCst);
            drop(place);
        });
        block_on(runner.stop()).expect("it obeys");
        assert!(left.load(Ordering::SeqCst), "the place was not left yet");
        holds.join().unwrap();
    });
}

/// Says when it is dropped.
struct Gone(Arc<AtomicBool>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_task_that_is_spawned_while_the_service_is_aborted_does_not_outlive_it() {
    model(Some(1), || {
        let context = Arc::new(Plain::new(None));
        let shared = Arc::clone(&context);
        let runner = started(service_fn(move |cx: Context| {
            *shared.lock().unwrap() = Some(cx.clone());
            std::future::pending::<()>()
        }));
        let cx = context.lock().unwrap().take().expect("run was entered");
        let gone = Arc::new(AtomicBool::new(false));
        let task = Gone(Arc::clone(&gone));
        let aborter = runner.clone();
        let aborts = thread::spawn(move || block_on(aborter.stop_within(Duration::ZERO)));
        cx.spawn(async move {
            let _task = task;
            std::future::pending::<()>().await;
        });
        aborts.join().unwrap().expect("it was asked to be aborted");
        assert_eq!(block_on(runner.wait()), Exit::Aborted);
        assert!(gone.load(Ordering::SeqCst), "the task is left");
    });
}

#[test]
fn who_waits_for_a_slot_is_woken() {
    model(None, || {
        let (slot, cx) = (Slot::new(), Context::detached(CancellationToken::new()));
        let (place, inner) = (slot.clone(), cx.clone());
        let fills = thread::spawn(move || place.fill(&inner, 7));
        assert_eq!(block_on(slot.wait(&cx)).as_deref(), Some(&7));
        fills.join().unwrap();
    });
}

#[test]
fn a_slot_that_is_filled_while_the_attempt_ends_is_emptied() {
    model(Some(2), || {
        let (runner, cx) = started_with_context();
        let slot = Slot::new();
        let place = slot.clone();
        let fills = thread::spawn(move || place.fill(&cx, 7));
        block_on(runner.stop()).expect("it obeys");
        fills.join().unwrap();
        assert!(slot.get().is_none(), "the value is left");
    });
}

#[test]
fn a_group_learns_that_its_member_has_ended() {
    model(Some(2), || {
        let job = once(|_| std::future::ready(()));
        let group = Group::builder("app")
            .with("job", job)
            .build()
            .expect("one member");
        let app = runner(group);
        loom::stop_exploring();
        app.request_start();
        loom::explore();
        assert_eq!(block_on(app.wait()), Exit::Completed);
    });
}

#[test]
fn a_part_that_is_started_while_its_whole_is_told_to_stop_is_down_with_it() {
    model(Some(1), || {
        let context = Arc::new(Plain::new(None));
        let shared = Arc::clone(&context);
        let part = runner(service_fn(async |cx: Context| cx.cancelled_owned().await));
        let told = part.clone();
        let owner = service_fn(move |cx: Context| {
            *shared.lock().unwrap() = Some(cx.clone());
            async move { cx.cancelled().await }
        });
        let owner = started(owner.on_shutdown(move |cx| {
            let told = told.clone();
            async move { told.shutdown(cx).await }
        }));
        let cx = context.lock().unwrap().take().expect("run was entered");
        let starts = part.clone();
        let starts = thread::spawn(move || block_on(starts.run(cx)).expect("it is told to"));
        block_on(owner.stop()).expect("it obeys");
        assert_eq!(part.state(), State::Stopped);
        starts.join().unwrap();
        assert_eq!(part.state(), State::Stopped);
    });
}

#[test]
fn a_part_is_not_left_by_a_whole_that_is_aborted_as_it_starts() {
    model(Some(2), || {
        let part = runner(service_fn(async |cx: Context| cx.cancelled_owned().await));
        let owner = runner(part.clone());
        owner.request_start();
        block_on(owner.stop_within(Duration::ZERO)).expect("it was asked to be aborted");
        assert_eq!(part.state(), State::Stopped);
    });
}
