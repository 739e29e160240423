//! A future whose panics are contained: when it is made, when it is polled, and when it is dropped.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::report::panic::{PanicError, catch_panic};

/// The end of a future, and of its drop.
pub(crate) struct FutureEnd<T> {
    pub(crate) result: Result<T, PanicError>,
    pub(crate) dropped: Option<PanicError>,
}

/// A pinned place for a future.
pub(crate) struct CatchUnwind<'a, F> {
    place: Pin<&'a mut Option<F>>,
}

impl<'a, F: Future> CatchUnwind<'a, F> {
    pub(crate) fn new(place: Pin<&'a mut Option<F>>) -> Self {
        Self { place }
    }

    /// Puts a future into an empty place.
    pub(crate) fn fill(&mut self, make: impl FnOnce() -> F) -> Result<(), PanicError> {
        // Where it is made, so that a large one is moved as little as can be.
        catch_panic(|| self.place.set(Some(make())))
    }

    /// Polls the future. When it has ended, by itself or by a panic, it is dropped as well.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<FutureEnd<F::Output>> {
        let Some(future) = self.place.as_mut().as_pin_mut() else {
            return Poll::Pending;
        };
        let result = match catch_panic(|| future.poll(cx)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => Ok(output),
            Err(panic) => Err(panic),
        };
        let dropped = self.clear().err();
        Poll::Ready(FutureEnd { result, dropped })
    }

    /// Drops the future where it is.
    pub(crate) fn clear(&mut self) -> Result<(), PanicError> {
        catch_panic(|| self.place.set(None))
    }
}
