//! A future whose panics are caught: when it is made, at each poll, and when it is dropped.

use std::error::Error;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::failure::{Cause, Phase, Raw};

/// What came of a part.
pub(super) struct Ended {
    pub(super) result: Result<(), Raw>,
    pub(super) dropped: Option<Raw>,
}

impl Ended {
    pub(super) fn failed(raw: Raw) -> Self {
        Self {
            result: Err(raw),
            dropped: None,
        }
    }

    pub(super) fn clean() -> Self {
        Self {
            result: Ok(()),
            dropped: None,
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        self.result.is_err() || self.dropped.is_some()
    }
}

/// Makes the future in its place.
pub(super) fn fill<F>(
    mut place: Pin<&mut Option<F>>,
    phase: Phase,
    make: impl FnOnce() -> F,
) -> Result<(), Ended> {
    caught(phase, || place.set(Some(make()))).map_err(Ended::failed)
}

/// Polls it, and drops it once it has ended.
pub(super) fn poll<F, E>(
    mut place: Pin<&mut Option<F>>,
    phase: Phase,
    cx: &mut Context<'_>,
) -> Poll<Ended>
where
    F: Future<Output = Result<(), E>>,
    E: Error + Send + Sync + 'static,
{
    let Some(future) = place.as_mut().as_pin_mut() else {
        return Poll::Pending;
    };
    let result = match caught(phase, || future.poll(cx)) {
        Ok(Poll::Pending) => return Poll::Pending,
        Ok(Poll::Ready(Ok(()))) => Ok(()),
        Ok(Poll::Ready(Err(error))) => Err(Raw {
            error: Arc::new(error),
            phase,
            cause: Cause::Error,
        }),
        Err(panic) => Err(panic),
    };
    let dropped = clear(place, phase);
    Poll::Ready(Ended { result, dropped })
}

/// Drops it where it is.
pub(super) fn clear<F>(mut place: Pin<&mut Option<F>>, phase: Phase) -> Option<Raw> {
    caught(phase, || place.set(None)).err()
}

fn caught<T>(phase: Phase, work: impl FnOnce() -> T) -> Result<T, Raw> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let raw = Raw::panic(phase, &*payload);
        // What is thrown may panic as well, when it is dropped.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
        raw
    })
}
