//! How a runner spawns a task, and what it asks of a runtime.

use std::cell::Cell;
use std::future::Future;
use std::panic::catch_unwind;
use std::pin::Pin;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::task::AbortHandle;

/// The future of a task that does nothing: one type for all of them.
pub(crate) struct Empty {
    /// Else it is there until it is aborted.
    pub(crate) ends: bool,
}

impl Future for Empty {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Task<'_>) -> Poll<()> {
        if self.ends {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// Spawns a task.
#[inline]
pub(crate) fn spawn_on<F>(on: &Handle, future: F) -> AbortHandle
where
    F: Future<Output = ()> + Send + 'static,
{
    on.spawn(future).abort_handle()
}

/// Returns whether a runtime ends or has ended: it drops at once what it is given.
pub(crate) fn has_ended(on: &Handle) -> bool {
    let probe = spawn_on(on, Empty { ends: false });
    let has_ended = probe.is_finished();
    probe.abort();
    has_ended
}

/// Moves the task that was spawned last out of the slot for the one that this worker polls next, from where no other
/// can take it, by spawning an empty one after it.
pub(crate) fn flush_lifo_slot(on: &Handle) {
    drop(spawn_on(on, Empty { ends: true }));
}

/// Returns whether the current runtime, which is this one, has timers. Nothing tells but the panic of a timer that is made
/// without; where panics do not unwind it is taken to have some.
#[inline]
pub(crate) fn has_timers(on: &Handle) -> bool {
    thread_local! {
        static LAST: Cell<Option<(Id, bool)>> = const { Cell::new(None) };
    }
    if cfg!(not(panic = "unwind")) {
        return true;
    }
    let id = on.id();
    match LAST.get() {
        Some((last, has_timers)) if last == id => has_timers,
        _ => {
            let has_timers = catch_unwind(|| drop(tokio::time::sleep(Duration::ZERO))).is_ok();
            LAST.set(Some((id, has_timers)));
            has_timers
        }
    }
}

/// Returns whether this is the task that asks.
pub(crate) fn is_own(handle: &AbortHandle) -> bool {
    tokio::task::try_id() == Some(handle.id())
}
