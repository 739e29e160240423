//! Threads for what may block: user code and stderr must hold up neither the signals nor the end.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use crate::report::panic::{PanicError, catch_panic};

/// How long the end of the program waits for anything else.
pub(super) const A_SECOND: Duration = Duration::from_secs(1);

/// Does some work on a thread of its own; here if the system has none to give.
pub(super) fn aside(work: impl FnOnce() + Send + 'static) {
    let work = Arc::new(Mutex::new(Some(work)));
    let there = Arc::clone(&work);
    let take = |work: &Mutex<Option<_>>| work.lock().unwrap_or_else(PoisonError::into_inner).take();
    let spawned = thread::Builder::new().spawn(move || take(&there).map(catch_panic));
    if spawned.is_err() {
        take(&work).map(catch_panic);
    }
}

/// Does some work on a thread of its own, and waits for it for no longer than a second: `None` if it is not done then.
pub(super) fn within_a_second<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<Result<T, PanicError>> {
    let (done, is_done) = mpsc::channel();
    aside(move || drop(done.send(catch_panic(work))));
    is_done.recv_timeout(A_SECOND).ok()
}
