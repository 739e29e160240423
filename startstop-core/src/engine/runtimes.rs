//! The runtimes on which services of this process have run.
//!
//! A start that is requested on a thread without a runtime goes back to that of the last cycle. But a handle of a runtime keeps
//! its descriptors open, so a runner that has stopped drops its own and remembers the id alone; the handle is found here. Nothing
//! tells when a runtime ends. So whenever a service starts on one that is new to the process, the others are asked whether they have
//! ended, and those are forgotten.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::runtime::{Handle, Id};

use crate::sync::has_ended;

static RUNTIMES: Mutex<Vec<Handle>> = Mutex::new(Vec::new());

/// May be taken under the lock of a runner; no other is taken under it.
fn runtimes() -> MutexGuard<'static, Vec<Handle>> {
    RUNTIMES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds a runtime, and returns whether it is new.
pub(super) fn add(on: &Handle) -> bool {
    let mut all = runtimes();
    let is_new = all.iter().all(|known| known.id() != on.id());
    if is_new {
        all.push(on.clone());
    }
    is_new
}

/// Returns the runtime with this id, unless it is known to have ended.
pub(super) fn find(id: Id) -> Option<Handle> {
    runtimes().iter().find(|known| known.id() == id).cloned()
}

/// Forgets the runtimes that have ended. To ask is to spawn, and to forget is to drop: both may be user code, so they come
/// with the lock released.
pub(crate) fn forget_ended() {
    let all = runtimes().clone();
    let ended: Vec<Handle> = all.into_iter().filter(has_ended).collect();
    let is_there = |on: &Handle| ended.iter().all(|gone| gone.id() != on.id());
    let forgotten: Vec<Handle> = {
        let mut all = runtimes();
        let (there, gone) = std::mem::take(&mut *all).into_iter().partition(is_there);
        *all = there;
        gone
    };
    drop(forgotten);
}
