//! Waiting for a cancellation on a thread that is nobody's task.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as Task, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::Context;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Blocks the thread until the context is cancelled, for `timeout` at most: whether it is cancelled.
pub(super) fn wait(cx: &Context, timeout: Duration) -> bool {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut task = Task::from_waker(&waker);
    let mut cancelled = pin!(cx.cancelled());
    let deadline = Instant::now().checked_add(timeout);
    loop {
        if cancelled.as_mut().poll(&mut task).is_ready() {
            return true;
        }
        match deadline.map(|at| at.saturating_duration_since(Instant::now())) {
            Some(Duration::ZERO) => return false,
            Some(left) => thread::park_timeout(left),
            None => thread::park(),
        }
    }
}
