//! How a runner spawns a task, and what it asks of a runtime.

use std::future::{Future, pending};

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

/// Spawns a task.
pub(crate) fn spawn_on<F>(on: &Handle, future: F) -> AbortHandle
where
    F: Future<Output = ()> + Send + 'static,
{
    on.spawn(future).abort_handle()
}

/// Whether a runtime ends or has ended: it drops at once what it is given.
pub(crate) fn has_ended(on: &Handle) -> bool {
    let probe = spawn_on(on, pending());
    let has_ended = probe.is_finished();
    probe.abort();
    has_ended
}

/// Moves the task that was spawned last out of the slot for the one that this worker polls next, from where no other
/// can take it, by spawning an empty one after it.
pub(crate) fn push_out(on: &Handle) {
    drop(spawn_on(on, async {}));
}
