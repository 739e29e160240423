//! The task that keeps the deadlines of a core, as long as there is one.

use std::sync::Arc;

use crate::clock;
use crate::core::{Node, Seat, update};
use crate::task::spawn_on;

/// Tells the core when the runtime drops the keeper.
struct Guard {
    node: Arc<dyn Node>,
    id: u32,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.node.core().cell().keeper_lost(self.id);
    }
}

pub(super) fn spawn(node: &Arc<dyn Node>, seat: &Seat) {
    let Seat { on, id } = seat;
    let guard = Guard { node: Arc::clone(node), id: *id };
    let task = spawn_on(on, keep(guard));
    let late = node.core().cell().keeper_hired(*id, task);
    if let Some(late) = late {
        late.abort();
    }
}

async fn keep(guard: Guard) {
    let Guard { node, id } = &guard;
    loop {
        // In a statement of its own: the lock must not be held while it sleeps.
        let due = node.core().cell().due(*id);
        let Some(at) = due.and_then(clock::instant) else { return };
        tokio::time::sleep_until(at).await;
        update(node, |core, cell, after| cell.look_at_the_clock(core, *id, after));
    }
}
