//! Threads for what may block: user code and stderr must hold up neither the signals nor the end.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::handoff::handoff;
use crate::report::panic::{PanicError, catch_panic};
use crate::sync::spawn_thread;

/// How long the end of the program waits for anything else.
pub(super) const A_SECOND: Duration = Duration::from_secs(1);

type Work = Box<dyn FnOnce() + Send>;

/// Does some work on a thread of its own; here if the system has none to give.
pub(super) fn aside(work: impl FnOnce() + Send + 'static) {
    boxed_aside(Box::new(work));
}

fn boxed_aside(work: Work) {
    let work = Arc::new(Mutex::new(Some(work)));
    let there = Arc::clone(&work);
    let take = |work: &Mutex<Option<Work>>| {
        let work = work.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(work.map(catch_panic));
    };
    if spawn_thread(None, Box::new(move || take(&there))).is_err() {
        take(&work);
    }
}

/// Does some work on a thread of its own, and waits for it for no longer than a second: `None` if it is not done then.
pub(super) fn within_a_second<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<Result<T, PanicError>> {
    let (giver, taker) = handoff();
    aside(move || giver.give(catch_panic(work)));
    taker.take_until(Instant::now() + A_SECOND)
}
