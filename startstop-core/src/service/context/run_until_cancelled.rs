//! A future that runs until the context is cancelled.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};

use pin_project_lite::pin_project;

use super::Context;
use super::futures::Cancelled;

pin_project! {
    /// The future of [`Context::run_until_cancelled`]. Not an `async fn`, which would store its argument twice.
    pub(super) struct RunUntilCancelled<'a, F> {
        cx: &'a Context,
        #[pin]
        future: Option<F>,
        // Since the first poll that had to wait.
        cancelled: Option<Cancelled<'a>>,
    }
}

impl<'a, F: Future> RunUntilCancelled<'a, F> {
    pub(super) fn new(cx: &'a Context, future: F) -> Self {
        Self {
            cx,
            future: Some(future),
            cancelled: None,
        }
    }
}

impl<F: Future> Future for RunUntilCancelled<'_, F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let ended = match this.future.as_mut().as_pin_mut() {
            Some(_) if this.cancelled.is_none() && this.cx.is_cancelled() => None,
            Some(future) => match future.poll(task) {
                Poll::Ready(output) => Some(output),
                Poll::Pending => {
                    let cancelled = this.cancelled.get_or_insert_with(|| this.cx.cancelled());
                    ready!(Pin::new(cancelled).poll(task));
                    None
                }
            },
            None => None,
        };
        this.future.set(None);
        *this.cancelled = None;
        Poll::Ready(ended)
    }
}
