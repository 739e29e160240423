//! Where services ran: one that has stopped lets go of a runtime that has ended.
//!
//! A runner remembers the runtime of its last cycle, for a start that is requested on a thread without one; and a handle of a
//! runtime keeps its descriptors open. Nobody tells when a runtime ends. So whenever a service is first started on
//! a runtime that is new to the process, the others are asked whether they have ended.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::runtime::Handle;

use super::{Node, Shared, Synced, gate};
use crate::sync::has_ended;

/// A runtime, and what was started on it.
struct RanOn {
    on: Handle,
    ran: Vec<Weak<dyn Node>>,
    /// How many there may be before those that are gone are looked for.
    room: usize,
}

static RUNTIMES: Mutex<Vec<RanOn>> = Mutex::new(Vec::new());

const ROOM: usize = 8;

fn places() -> MutexGuard<'static, Vec<RanOn>> {
    RUNTIMES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RanOn {
    /// Takes one in; those that are gone are to be dropped with the lock released.
    fn add(&mut self, node: Weak<dyn Node>) -> Vec<Weak<dyn Node>> {
        self.ran.push(node);
        if self.ran.len() < self.room {
            return Vec::new();
        }
        let all = std::mem::take(&mut self.ran).into_iter();
        let (there, gone) = all.partition(|node| node.strong_count() > 0);
        self.ran = there;
        // An eighth more: each that is gone keeps its memory until then.
        self.room = self.ran.len() + self.ran.len() / 8 + ROOM;
        gone
    }

    /// The runtime has ended.
    fn close(self) {
        let id = self.on.id();
        for node in &self.ran {
            let forget = |_: &Shared, synced: &mut Synced| synced.forget_runtime(id);
            drop(gate::look(node, forget));
        }
    }
}

/// Notes that a service is started on a runtime.
pub(crate) fn note(node: &Arc<dyn Node>, on: &Handle) {
    let weak = Arc::downgrade(node);
    let mut all = places();
    if let Some(place) = all.iter_mut().find(|place| place.on.id() == on.id()) {
        let gone = place.add(weak);
        drop(all);
        drop(gone);
        return;
    }
    let others = std::mem::take(&mut *all);
    all.push(RanOn { on: on.clone(), ran: vec![weak], room: ROOM });
    drop(all);
    // To ask is to spawn, and that may be user code, so nobody waits for it.
    let (ended, others): (Vec<_>, Vec<_>) =
        others.into_iter().partition(|place| has_ended(&place.on));
    places().extend(others);
    ended.into_iter().for_each(RanOn::close);
}
