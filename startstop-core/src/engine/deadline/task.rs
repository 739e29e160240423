//! The task that sleeps on the runtime of the service until a deadline, as long as there is one.
//!
//! It does not keep the service alive.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;

use super::{Entry, Keepers};
use crate::engine::gate::update_and_leave;
use crate::engine::{Node, Seat, update};
use crate::sync::clock;
use crate::sync::{has_ended, spawn_on};

/// Tells the core when the runtime drops the task.
struct Guard {
    node: Weak<dyn Node>,
    id: u32,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(node) = self.node.upgrade() else { return };
        update_and_leave(node, |_, cell, after| cell.deadline_task_lost(self.id, after));
    }
}

/// Spawns the task, with an entry for the thread.
pub(crate) fn spawn(node: &Arc<dyn Node>, seat: &Seat) {
    let Seat { on, id } = seat;
    let due = node.core().cell().next_look(node.core(), *id);
    let entry = due.and_then(|due| Entry::new(Arc::downgrade(node), *id, due));
    let guard = Guard { node: Arc::downgrade(node), id: *id };
    let task = spawn_on(on, keep(guard));
    let keepers = Keepers { task: Some(task), entry };
    let armed = node.core().cell().armed(*id, keepers);
    match armed {
        Ok(old) => old.dismiss(),
        Err(late) => {
            late.dismiss();
            if has_ended(on) {
                spawn_here(node);
            }
        }
    }
}

/// The runtime of the service has ended and dropped the task at once: that of the caller keeps the deadline.
fn spawn_here(node: &Arc<dyn Node>) {
    let Ok(here) = Handle::try_current() else { return };
    if !has_ended(&here) {
        update(node, |_, cell, after| {
            cell.run_on(here);
            cell.on_polled(after);
        });
    }
}

/// How long the task waits before it looks again whether `run` is stuck.
const MOMENT: Duration = Duration::from_millis(1);

/// Whether `shutdown` is due and waits for the driver to come to its first poll of `run`. If the driver
/// is inside `run`, and may never come back, the call is made in a task.
fn hook_waits(guard: &Guard) -> bool {
    let Some(node) = guard.node.upgrade() else { return false };
    let is_due = node.core().cell().next_look(node.core(), guard.id);
    if is_due.is_none_or(|due| due <= clock::now()) {
        return false;
    }
    update(&node, |core, cell, after| {
        if core.polling.load(Ordering::SeqCst) {
            cell.spawn_hook(core, after);
        }
        cell.life.is_hook_due()
    })
}

/// Until when the task sleeps.
fn next_look(guard: &Guard) -> Option<u64> {
    let node = guard.node.upgrade()?;
    node.core().cell().next_look(node.core(), guard.id)
}

async fn keep(guard: Guard) {
    while hook_waits(&guard) {
        tokio::time::sleep(MOMENT).await;
    }
    while let Some(at) = next_look(&guard).and_then(clock::instant) {
        tokio::time::sleep_until(at).await;
        let Some(node) = guard.node.upgrade() else { return };
        update_and_leave(node, |core, cell, after| cell.on_fired(core, guard.id, after));
    }
}
