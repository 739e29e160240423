//! The tunnels of an HTTP/2 connection: what CONNECT has opened, those of a WebSocket among them.
//!
//! hyper lets go of a request as soon as its tunnel is there, and moves what is sent by a task that lasts as long as the tunnel. So
//! the tasks of a connection tell whether it bears one: when no request is in flight, those that are left are of tunnels.
//! That task ends when the app says no more, though it may still listen: then what is received tells.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The tasks of a connection, if they may be those of tunnels.
#[derive(Debug, Default)]
pub(super) struct Tunnels {
    tasks: AtomicUsize,
    has_opened: AtomicBool,
}

impl Tunnels {
    /// One is opened by a task that has begun already.
    pub(super) fn open(&self) {
        self.has_opened.store(true, Ordering::Release);
    }

    /// Returns whether what is received may be for one that bears nothing back, so that its task has ended.
    pub(super) fn may_listen(&self) -> bool {
        self.has_opened.load(Ordering::Acquire)
    }

    pub(super) fn task_begins(&self) {
        self.tasks.fetch_add(1, Ordering::AcqRel);
    }

    /// Returns whether it may have been that of a tunnel.
    pub(super) fn task_ends(&self) -> bool {
        self.tasks.fetch_sub(1, Ordering::AcqRel);
        self.has_opened.load(Ordering::Acquire)
    }

    /// Returns whether there may be one.
    pub(super) fn are_open(&self) -> bool {
        self.has_opened.load(Ordering::Acquire) && self.tasks.load(Ordering::Acquire) > 0
    }
}
