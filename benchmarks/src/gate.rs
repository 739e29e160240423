//! Many bodies that are entered, and one who waits for the last of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Opens when so many have entered.
pub(crate) struct Gate {
    missing: AtomicUsize,
    open: Notify,
}

impl Gate {
    pub(crate) fn new(bodies: usize) -> Arc<Self> {
        Arc::new(Self {
            missing: AtomicUsize::new(bodies),
            open: Notify::new(),
        })
    }

    pub(crate) fn enter(&self) {
        if self.missing.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.open.notify_one();
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.missing.load(Ordering::Acquire) == 0
    }

    pub(crate) async fn opened(&self) {
        self.open.notified().await;
        assert!(self.is_open(), "only the last one opens it");
    }
}
