//! A parent token: its cancellation is a stop.
//!
//! No task watches it. Its future is polled once, with a waker that asks for the stop, and kept.
//!
//! 1. A token calls its wakers with its lock held. So the lock of a token comes before that of an
//!    engine: nothing that takes the lock of a token (poll, clone, drop, a look) is done under the lock
//!    of an engine.
//! 2. For the same reason no handle of the token may be dropped inside the waker.

use std::future::Future;
use std::pin::Pin;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context as Task, Waker};

use crate::sync::{CancellationToken, Mutex, WaitForCancellationFutureOwned};

/// The token that a runner was started with.
pub(crate) struct Parent {
    id: u64,
    token: CancellationToken,
    wait: Mutex<Option<Pin<Box<WaitForCancellationFutureOwned>>>>,
}

impl Parent {
    pub(crate) fn new(token: CancellationToken) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            token,
            wait: Mutex::default(),
        }
    }

    /// Returns what tells it from the parents before and after it.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Wakes `waker` when the token is cancelled, which may be now.
    pub(crate) fn watch(&self, waker: &Waker) {
        let mut wait = Box::pin(self.token.clone().cancelled_owned());
        if wait.as_mut().poll(&mut Task::from_waker(waker)).is_ready() {
            waker.wake_by_ref();
        }
        let old = self
            .wait
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .replace(wait);
        drop(old);
    }
}
