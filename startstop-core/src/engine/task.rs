//! The one call that spawns for a runner, and the tasks of a context, which are parts of its attempt.
//!
//! A task has its entry beside its future: when the runtime drops it, also before it was polled, the entry tells the engine.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tokio::runtime::Handle;

use super::tasks::Place;
use super::{ArmTimer, Node, PartEnd, tasks, update};
use crate::engine::catch_unwind::{CatchUnwind, FutureEnd};
use crate::engine::gate::update_and_leave;
use crate::report::failure::RawFailure;
use crate::report::outcome::Outcome;
use crate::report::panic::catch_panic;
use crate::report::trace::AttemptSpan;
use crate::rules::lifecycle::{Input, Part};
use crate::sync::AbortHandle;

pub(crate) use crate::sync::{flush_lifo_slot, has_ended, is_own, spawn_on};

/// Waits for ever if the runtime ends, to be dropped with all its tasks; else not at all. For an owner
/// that has lost a part: with the runtime the owner is lost as well, and has not failed.
pub(crate) async fn wait_if_runtime_ends() {
    if tokio::runtime::Handle::try_current().is_ok_and(|on| has_ended(&on)) {
        std::future::pending::<()>().await;
    }
}

/// The entry of the task in its attempt; its holder tells the engine of the end, also in its drop.
struct TaskEntry {
    node: Arc<dyn Node>,
    place: Place,
}

impl TaskEntry {
    fn end(self, end: PartEnd, faults: impl IntoIterator<Item = RawFailure>) {
        // The handle is dropped outside of the lock, since it may be all that is left of the task.
        let Self { node, place } = self;
        let _handle = update_and_leave(node, |shared, synced, deferred| {
            let handle = tasks::ended(synced, shared, (place, end), faults, deferred);
            synced.step(shared, Input::Ended(Part::Task), ArmTimer::IfNew, deferred);
            handle
        });
    }
}

/// Spawns a task of attempt `epoch`; drops the future if the attempt takes no more.
pub(crate) fn spawn<F>(node: &Arc<dyn Node>, epoch: u64, name: Option<Cow<'static, str>>, future: F)
where
    F: Future<Output: Outcome> + Send + 'static,
{
    spawn_as(node, epoch, name, future, spawn_on::<Body<F>>);
}

/// The same for a large future, which is in a box. What is added to it is in another: for the runtime has cells of 128 bytes or
/// of a multiple of that, and it would be a little too large for the least.
pub(crate) fn spawn_boxed<F>(
    node: &Arc<dyn Node>,
    epoch: u64,
    name: Option<Cow<'static, str>>,
    future: Pin<Box<F>>,
) where
    F: Future<Output: Outcome> + Send + 'static,
{
    spawn_as(node, epoch, name, future, |on, body| {
        spawn_on(on, Box::pin(body))
    });
}

fn spawn_as<F>(
    node: &Arc<dyn Node>,
    epoch: u64,
    name: Option<Cow<'static, str>>,
    future: F,
    spawn_body: impl FnOnce(&Handle, Body<F>) -> AbortHandle,
) where
    F: Future<Output: Outcome> + Send + 'static,
{
    let shared = node.shared();
    let added = tasks::add(&mut shared.synced(), shared, epoch, name);
    let Some((on, new)) = added else { return };
    let entry = TaskEntry {
        node: Arc::clone(node),
        place: new.place,
    };
    let span = node.shared().span(epoch);
    let body = Body {
        future: Some(future),
        entry: Some(entry),
        span,
    };
    let task = spawn_body(&on, body);
    let late = update(node, |_, synced, deferred| {
        tasks::spawned(synced, new, task, deferred)
    });
    if let Some(late) = late {
        late.abort();
    }
}

pin_project! {
    /// A task: its future, stored once, and its entry. When the runtime drops it, polled or not, the future is dropped behind a
    /// fence.
    struct Body<F: Future> {
        #[pin]
        future: Option<F>,
        entry: Option<TaskEntry>,
        span: AttemptSpan,
    }

    impl<F: Future> PinnedDrop for Body<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            let Some(entry) = this.entry.take() else { return };
            let dropped = this.span.within(|| CatchUnwind::new(this.future).clear());
            entry.end(PartEnd::Dropped, dropped.err().map(RawFailure::panic));
        }
    }
}

impl<F: Future<Output: Outcome>> Future for Body<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let mut caught = CatchUnwind::new(this.future);
        let faults = this.span.within(|| {
            let FutureEnd { result, dropped } = ready!(caught.poll(cx));
            let end = result.and_then(|output| catch_panic(|| output.into_result()));
            Poll::Ready([RawFailure::of_end(end), dropped.map(RawFailure::panic)])
        });
        let faults = ready!(faults);
        if let Some(entry) = this.entry.take() {
            entry.end(PartEnd::Finished, faults.into_iter().flatten());
        }
        Poll::Ready(())
    }
}
