//! The task that sleeps on the runtime of the service until a deadline, as long as there is one.
//!
//! It does not keep the service alive, and looks at it behind its gate: whoever sees `Stopped` finds nobody looking.

use std::any::Any;
use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::runtime::Handle;

use super::which;
use super::{DeadlineTask, QueueEntry, spawn_pending};
use crate::engine::gate::{self, update_apart};
use crate::engine::{Node, Shared, SpawnTarget, Synced, deadline};
use crate::sync::clock;
use crate::sync::{has_ended, spawn_boxed, spawn_on};

/// Tells the engine when the runtime drops the task.
struct Guard {
    node: Weak<dyn Node>,
    id: u32,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let look = |_: &Shared, synced: &mut Synced| deadline::is_kept_by(synced, self.id);
        let Some((true, _)) = gate::look(&self.node, look) else {
            return;
        };
        update_apart(&self.node, |_, synced, deferred| {
            deadline::task_lost(synced, self.id, deferred);
        });
    }
}

/// Spawns the task, with an entry for the thread.
pub(crate) fn spawn(node: &Weak<dyn Node>, target: &SpawnTarget) {
    if !spawn_apart(node, target) && has_ended(&target.on) {
        spawn_here(node);
    }
}

/// The same: whether it keeps the deadline now.
pub(super) fn spawn_apart(node: &Weak<dyn Node>, target: &SpawnTarget) -> bool {
    let SpawnTarget { on, id } = target;
    let due = gate::look(node, |shared, synced| {
        deadline::next_look(synced, shared, *id)
    });
    let entry = due.and_then(|(due, _)| QueueEntry::new(Weak::clone(node), *id, due?));
    let handle = spawn_on(
        on,
        keep(Guard {
            node: Weak::clone(node),
            id: *id,
        }),
    );
    let task = DeadlineTask {
        handle: Some(handle),
        entry,
    };
    let Some((armed, last)) = gate::look(node, |_, synced| deadline::armed(synced, *id, task))
    else {
        return false;
    };
    drop_on(last, on);
    let is_kept = armed.is_ok();
    armed.unwrap_or_else(|late| late).cancel();
    is_kept
}

/// Drops what may be the service on its runtime: its destructor is user code and may block.
pub(super) fn drop_on(last: Option<Box<dyn Any + Send>>, on: &Handle) {
    if last.is_some() {
        spawn_boxed(on, Box::pin(async move { drop(last) }));
    }
}

/// The runtime of the service has ended and dropped the task at once: that of the caller keeps the deadline.
fn spawn_here(node: &Weak<dyn Node>) {
    let Ok(here) = Handle::try_current() else {
        return;
    };
    if !has_ended(&here) {
        update_apart(node, |_, synced, deferred| {
            synced.run_on(here);
            spawn_pending(synced, deferred);
        });
    }
}

/// How long the task waits before it looks again whether `run` is stuck.
const MOMENT: Duration = Duration::from_millis(1);

/// Returns whether `shutdown` is due and waits for the driver to come to its first poll of `run`. If the driver
/// is inside `run`, and may never come back, the call is made in a task.
fn shutdown_call_waits(guard: &Guard) -> bool {
    let look = |shared: &Shared, synced: &mut Synced| {
        let polls = shared.polling.load(Ordering::SeqCst);
        (
            deadline::next_look(synced, shared, guard.id),
            synced.life.is_shutdown_call_due(),
            polls,
        )
    };
    let Some(((due, is_shutdown_call_due, polls), _)) = gate::look(&guard.node, look) else {
        return false;
    };
    if !is_shutdown_call_due || due.is_none_or(|due| due <= clock::now()) {
        return false;
    }
    if polls {
        update_apart(&guard.node, |shared, synced, deferred| {
            synced.spawn_shutdown_call(shared, deferred);
        });
        return false;
    }
    true
}

/// Returns until when the task sleeps.
fn next_look(guard: &Guard) -> Option<u64> {
    gate::look(&guard.node, |shared, synced| {
        deadline::next_look(synced, shared, guard.id)
    })?
    .0
}

async fn keep(guard: Guard) {
    while shutdown_call_waits(&guard) {
        tokio::time::sleep(MOMENT).await;
    }
    while let Some(at) = next_look(&guard).and_then(clock::instant) {
        tokio::time::sleep_until(at).await;
        update_apart(&guard.node, |shared, synced, deferred| {
            which::on_fired(synced, shared, guard.id, deferred);
        });
    }
}
