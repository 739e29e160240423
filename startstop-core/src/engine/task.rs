//! Where a runner spawns its tasks, and the tasks of a context: parts of its attempt.
//!
//! Each task is given its entry as an argument: a task that the runtime drops before it was polled
//! drops its arguments, and so tells the core.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;

use crate::engine::catch_unwind::Fence;
use crate::engine::gate::update_and_leave;
use crate::engine::{Arm, Node, PartEnd};
use crate::report::failure::Fault;
use crate::report::outcome::Outcome;
use crate::report::panic::fenced;
use crate::report::state::Phase;
use crate::rules::lifecycle::{Input, Part};

pub(crate) use crate::sync::{has_ended, push_out, spawn_on};

/// Waits for ever if the runtime ends, to be dropped with all its tasks; else not at all. For a whole
/// that has lost a part: with the runtime the whole is lost as well, and has not failed.
pub(crate) async fn wait_if_runtime_ends() {
    if tokio::runtime::Handle::try_current().is_ok_and(|on| has_ended(&on)) {
        std::future::pending::<()>().await;
    }
}

/// Has a task belong to the span of the attempt that spawns it.
#[cfg(feature = "tracing")]
fn in_span<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let span = tracing::Span::current();
    async move {
        let mut future = pin!(future);
        poll_fn(|cx| {
            let _entered = span.enter();
            future.as_mut().poll(cx)
        })
        .await
    }
}

#[cfg(not(feature = "tracing"))]
fn in_span<F>(future: F) -> F {
    future
}

/// What stands for the task in its attempt; whoever has it tells the core of the end, also in its drop.
struct TaskEntry {
    node: Arc<dyn Node>,
    id: u64,
}

impl TaskEntry {
    fn end(self, end: PartEnd, fault: Option<Fault>) {
        // The handle is dropped outside of the lock, since it may be all that is left of the task.
        let Self { node, id } = self;
        let _handle = update_and_leave(node, |core, cell, after| {
            cell.part_ended(core, (Phase::Task, end), fault, after);
            let handle = cell.task_gone(id);
            cell.step(core, Input::Ended(Part::Task), Arm::IfNew, after);
            handle
        });
    }
}

/// A future that was not polled yet, with its entry: what the runtime drops if it never polls it.
struct Unpolled<F> {
    future: Option<F>,
    entry: Option<TaskEntry>,
}

impl<F> Drop for Unpolled<F> {
    fn drop(&mut self) {
        let Some(entry) = self.entry.take() else { return };
        let dropped = fenced(|| drop(self.future.take()));
        entry.end(PartEnd::Dropped, dropped.err().map(Fault::panic));
    }
}

/// Spawns a task of attempt `epoch`; drops the future if the attempt takes no more.
pub(crate) fn spawn<F>(node: &Arc<dyn Node>, epoch: u64, future: F)
where
    F: Future<Output: Outcome> + Send + 'static,
{
    let rules = node.core().rules();
    let added = node.core().cell().add_task(epoch, rules);
    let Some((on, id)) = added else { return };
    let entry = TaskEntry { node: Arc::clone(node), id };
    let unpolled = Unpolled { future: Some(future), entry: Some(entry) };
    let task = spawn_on(&on, in_span(run(unpolled)));
    let late = node.core().cell().task_spawned(id, task);
    if let Some(late) = late {
        late.abort();
    }
}

async fn run<F: Future<Output: Outcome>>(mut unpolled: Unpolled<F>) {
    let mut future = pin!(unpolled.future.take());
    let mut body = Body { fence: Fence::new(future.as_mut()), entry: unpolled.entry.take() };
    let result = poll_fn(|cx| body.fence.poll(cx)).await;
    let fault = match result.and_then(|output| fenced(|| output.into_result())) {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(Fault::of(|| error)),
        Err(panic) => Some(Fault::panic(panic)),
    };
    if let Some(entry) = body.entry.take() {
        entry.end(PartEnd::Finished, fault);
    }
}

/// A task that is being polled. When the runtime drops it, its future is dropped behind a fence.
struct Body<'a, F: Future> {
    fence: Fence<'a, F>,
    entry: Option<TaskEntry>,
}

impl<F: Future> Drop for Body<'_, F> {
    fn drop(&mut self) {
        let Some(entry) = self.entry.take() else { return };
        let dropped = self.fence.clear();
        entry.end(PartEnd::Dropped, dropped.err().map(Fault::panic));
    }
}
