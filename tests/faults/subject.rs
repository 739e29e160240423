//! The service that the faults happen to: a probe whose future may be given a bomb.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as Task, Poll};

use startstop_core::{BoxError, Context, Service};

use crate::support::{Probe, Remote};

pub(super) struct Subject {
    probe: Probe,
    armed: Arc<AtomicBool>,
}

impl Subject {
    pub(super) fn new() -> (Self, Remote) {
        let (probe, remote) = Probe::new();
        (
            Self {
                probe,
                armed: Arc::default(),
            },
            remote,
        )
    }

    /// From now on the future of `run` panics when it is dropped.
    pub(super) fn arm(&self) {
        self.armed.store(true, Ordering::SeqCst);
    }
}

impl Service for Subject {
    type Error = BoxError;

    fn run(&self, cx: Context) -> impl Future<Output = Result<(), BoxError>> + Send {
        Fragile {
            future: Box::pin(self.probe.run(cx)),
            _bomb: Bomb(Arc::clone(&self.armed)),
        }
    }

    async fn shutdown(&self, cx: Context) -> Result<(), BoxError> {
        self.probe.shutdown(cx).await
    }
}

/// Not an `async` block: that drops what it holds in its last poll.
struct Fragile<F> {
    future: Pin<Box<F>>,
    _bomb: Bomb,
}

impl<F: Future> Future for Fragile<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<F::Output> {
        self.future.as_mut().poll(task)
    }
}

struct Bomb(Arc<AtomicBool>);

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(!self.0.load(Ordering::SeqCst), "in a drop");
    }
}
