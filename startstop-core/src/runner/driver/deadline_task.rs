//! The task that keeps the deadlines of a core, as long as there is one.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::runtime::Handle;

use super::make_way;
use crate::engine::task::{has_ended, spawn_on};
use crate::engine::{Node, Seat, update};
use crate::sync::clock;

/// Tells the core when the runtime drops the keeper.
struct Guard {
    node: Arc<dyn Node>,
    id: u32,
}

impl Drop for Guard {
    fn drop(&mut self) {
        update(&self.node, |_, cell, after| cell.keeper_lost(self.id, after));
    }
}

pub(super) fn spawn(node: &Arc<dyn Node>, seat: &Seat) {
    let Seat { on, id } = seat;
    let guard = Guard { node: Arc::clone(node), id: *id };
    let task = spawn_on(on, keep(guard));
    make_way(node.core(), on);
    let late = node.core().cell().keeper_hired(*id, task);
    if let Some(late) = late {
        late.abort();
        if has_ended(on) {
            spawn_here(node);
        }
    }
}

/// The runtime of the service has ended and dropped the keeper at once: that of the caller keeps the deadline.
fn spawn_here(node: &Arc<dyn Node>) {
    let Ok(here) = Handle::try_current() else { return };
    if !has_ended(&here) {
        update(node, |_, cell, after| {
            cell.run_on(here);
            cell.hire_keeper(after);
        });
    }
}

/// How long the keeper waits before it looks again whether `run` is stuck.
const MOMENT: Duration = Duration::from_millis(1);

/// Whether `shutdown` is due and waits for the driver to come to its first poll of `run`. If the driver
/// is inside `run`, and may never come back, the call is made in a task.
fn hook_waits(node: &Arc<dyn Node>) -> bool {
    update(node, |core, cell, after| {
        if core.polling.load(Ordering::SeqCst) {
            cell.spawn_hook(core, after);
        }
        cell.life.is_hook_due()
    })
}

/// Whether the keeper has something to do now, or nothing any more.
fn is_due(node: &Arc<dyn Node>, id: u32) -> bool {
    let due = node.core().cell().due(node.core(), id);
    due.is_none_or(|due| due <= clock::now())
}

async fn keep(guard: Guard) {
    let Guard { node, id } = &guard;
    while hook_waits(node) && !is_due(node, *id) {
        tokio::time::sleep(MOMENT).await;
    }
    loop {
        // In a statement of its own: the lock must not be held while it sleeps.
        let due = node.core().cell().due(node.core(), *id);
        let Some(at) = due.and_then(clock::instant) else { return };
        tokio::time::sleep_until(at).await;
        update(node, |core, cell, after| cell.look_at_the_clock(core, *id, after));
    }
}
