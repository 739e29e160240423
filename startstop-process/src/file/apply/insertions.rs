//! Insertions into a group that have begun, side by side: the group knows what waits for what.

use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use startstop_core::{BoxError, GroupError};

use super::NotChanged;

type Insertion<'g> = Pin<Box<dyn Future<Output = Result<(), GroupError>> + Send + 'g>>;

#[derive(Default)]
pub(super) struct Insertions<'g> {
    open: Vec<(String, Insertion<'g>)>,
    errors: Vec<BoxError>,
}

impl<'g> Insertions<'g> {
    pub(super) fn fail(&mut self, error: impl Into<BoxError>) {
        self.errors.push(error.into());
    }

    /// Polls it once, which puts the member into the group, and returns whether it is there.
    pub(super) async fn begin(&mut self, name: &str, mut insertion: Insertion<'g>) -> bool {
        let first = poll_fn(|cx| Poll::Ready(insertion.as_mut().poll(cx))).await;
        match first {
            Poll::Pending => self.open.push((name.to_owned(), insertion)),
            Poll::Ready(Err(error)) => {
                self.fail(NotChanged::boxed(name, error));
                return false;
            }
            Poll::Ready(Ok(())) => {}
        }
        true
    }

    /// No longer waits for these, which are about to be removed.
    pub(super) fn forget(&mut self, names: &BTreeSet<String>) {
        self.open.retain(|(name, _)| !names.contains(name));
    }

    /// Waits until none is open, and returns what has failed. Loses nothing when it is dropped.
    pub(super) async fn finished(&mut self) -> Vec<BoxError> {
        poll_fn(|cx| self.poll(cx)).await;
        std::mem::take(&mut self.errors)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let errors = &mut self.errors;
        self.open
            .retain_mut(|(name, insertion)| match insertion.as_mut().poll(cx) {
                Poll::Pending => true,
                Poll::Ready(ended) => {
                    errors.extend(ended.err().map(|error| NotChanged::boxed(name, error)));
                    false
                }
            });
        if self.open.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// Waits for all of them, side by side.
pub(super) async fn all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    poll_fn(|cx| {
        for (future, output) in futures.iter_mut().filter(|(_, output)| output.is_none()) {
            if let Poll::Ready(ready) = future.as_mut().poll(cx) {
                *output = Some(ready);
            }
        }
        if futures.iter().all(|(_, output)| output.is_some()) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    futures
        .into_iter()
        .filter_map(|(_, output)| output)
        .collect()
}
