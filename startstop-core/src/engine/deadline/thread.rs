//! The thread of the process that looks whether deadlines are kept.
//!
//! It is there from the first entry to [`LINGER`] after the last one.

use std::sync::{LazyLock, Weak};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::LOOK;
use super::look::{Watched, look_at, look_at_pending};
use super::watcher::{Watch, Watcher};
use crate::engine::Node;
use crate::report::panic::catch_panic;
use crate::sync::spawn_thread;

/// How long the thread waits for another entry before it ends.
const LINGER: Duration = Duration::from_secs(2);

static WATCHER: LazyLock<Watcher<Watched>> = LazyLock::new(|| Watcher::new(LINGER));

/// An entry of a deadline. Its drop takes it back.
pub(super) struct QueueEntry(u64);

/// An entry of a timer. Its drop takes it back.
pub(super) struct Nudge(u64);

impl QueueEntry {
    pub(super) fn new(node: Weak<dyn Node>, id: u32, due: u64) -> Option<Self> {
        add(
            due,
            Watched::Deadline {
                node,
                id,
                was_nudged: false,
            },
        )
        .map(Self)
    }
}

impl Nudge {
    pub(super) fn new(on: Handle, due: u64) -> Option<Self> {
        add(due, Watched::Timer { on, due, nudges: 0 }).map(Self)
    }
}

impl Drop for QueueEntry {
    fn drop(&mut self) {
        WATCHER.take_back(self.0);
    }
}

impl Drop for Nudge {
    fn drop(&mut self) {
        WATCHER.take_back(self.0);
    }
}

/// Adds an entry, unless it is due later than any clock of the machine can say.
fn add(due: u64, watched: Watched) -> Option<u64> {
    let at = look_at(due)?;
    Some(WATCHER.add(at, watched, spawn))
}

/// Asks the thread to look at what is pending; returns whether there is a thread.
#[must_use]
pub(crate) fn look_soon(node: &Weak<dyn Node>) -> bool {
    WATCHER.note(Weak::clone(node), LOOK, spawn)
}

fn spawn() -> bool {
    spawn_thread(Some("deadlines".to_owned()), Box::new(|| WATCHER.watch())).is_ok()
}

/// Nothing in it panics; if it does all the same, the others still have their thread.
impl Watch for Watched {
    type Noted = Weak<dyn Node>;

    fn look(&mut self) -> Option<Instant> {
        catch_panic(|| self.look_at()).ok().flatten()
    }

    fn look_once(noted: &Self::Noted) {
        drop(catch_panic(|| look_at_pending(noted)));
    }
}
