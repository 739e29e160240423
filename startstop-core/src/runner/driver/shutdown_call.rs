//! The call of `shutdown`.
//!
//! At a stop the driver polls `run` once more, and mostly that is its end: then the driver polls `shutdown` itself. Otherwise
//! `shutdown` runs in a task of its own, while `run` goes on. On a single-threaded runtime the driver makes the
//! first poll of it even so, between two polls of `run`, so that one that is ready at once costs no task; with
//! more threads that would keep `run` from going on while `shutdown` blocks.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context as Task, Poll, ready};

use tokio::runtime::Handle;

use super::place::{Boxed, FutureStorage, Inline};
use super::service_of;
use crate::engine::catch_unwind::{CatchUnwind, FutureEnd};
use crate::engine::gate::update_and_leave;
use crate::engine::task::spawn_on;
use crate::engine::{ArmTimer, Deferred, Node, PartEnd, Shared, Synced, parts};
use crate::report::failure::RawFailure;
use crate::report::panic::{BoxError, PanicError, catch_panic};
use crate::report::state::Phase;
use crate::report::trace::AttemptSpan;
use crate::rules::lifecycle::Input;
use crate::service::Service;
use crate::service::context::Context;
use crate::service::size::is_large;
use crate::sync::AbortHandle;

type BoxShutdown = Pin<Box<dyn Future<Output = FutureEnd<Result<(), BoxError>>> + Send>>;

/// How the call has ended, and what has failed in it: mostly nothing, and then the list costs nothing.
pub(super) type EndedCall = (PartEnd, Vec<RawFailure>);

/// Makes the future of a call.
pub(super) type MakeShutdown = fn(Arc<dyn Node>, Context) -> BoxShutdown;

/// A call of `shutdown` that was taken on. Dropping it ends it.
pub(super) struct Call {
    /// Until the call has ended.
    node: Option<Arc<dyn Node>>,
    future: Option<BoxShutdown>,
    /// The driver has polled it, and it was not ready.
    was_pending: bool,
    span: AttemptSpan,
}

impl Call {
    pub(super) fn new(node: Arc<dyn Node>, epoch: u64, make: MakeShutdown) -> Self {
        let cx = Context::of_shutdown(Arc::clone(&node), epoch);
        let future = make(Arc::clone(&node), cx);
        let span = node.shared().span(epoch);
        Self {
            node: Some(node),
            future: Some(future),
            was_pending: false,
            span,
        }
    }

    /// Polls the call, and tells of its end.
    pub(super) fn poll(&mut self, cx: &mut Task<'_>) -> Poll<()> {
        let faults = ready!(self.poll_future(cx));
        self.end(PartEnd::Finished, faults);
        Poll::Ready(())
    }

    /// Polls the future, and drops it when it has ended: what has failed then. Whoever polls it here tells of the end, by
    /// [`ended`](Self::ended).
    pub(super) fn poll_future(&mut self, cx: &mut Task<'_>) -> Poll<Vec<RawFailure>> {
        let Some(future) = &mut self.future else {
            return Poll::Ready(Vec::new());
        };
        let polled = self
            .span
            .within(|| match catch_panic(|| future.as_mut().poll(cx)) {
                Ok(Poll::Pending) => Poll::Pending,
                Ok(Poll::Ready(FutureEnd { result, dropped })) => {
                    let mut faults = Vec::from_iter(RawFailure::of_end(result));
                    faults.extend(dropped.map(RawFailure::panic));
                    Poll::Ready(faults)
                }
                Err(panic) => Poll::Ready(vec![RawFailure::panic(panic)]),
            });
        let mut faults = ready!(polled);
        faults.extend(self.drop_future());
        Poll::Ready(faults)
    }

    /// Notes that it is not ready; whether that is not for the first time.
    pub(super) fn is_pending_again(&mut self) -> bool {
        std::mem::replace(&mut self.was_pending, true)
    }

    /// Drops the future: what has failed in that.
    pub(super) fn drop_future(&mut self) -> Option<RawFailure> {
        self.clear().err().map(RawFailure::panic)
    }

    /// It has ended, and the driver tells of it, who goes on with the service.
    pub(super) fn ended(
        &mut self,
        (end, faults): EndedCall,
        shared: &Shared,
        synced: &mut Synced,
        deferred: &mut Deferred,
    ) {
        self.node = None;
        parts::ended(synced, shared, (Phase::Shutdown, end), faults, deferred);
        synced.step(shared, Input::ShutdownCallEnded, ArmTimer::IfNew, deferred);
    }

    fn clear(&mut self) -> Result<(), PanicError> {
        let Self { future, span, .. } = self;
        span.within(|| catch_panic(|| *future = None))
    }

    fn end(&mut self, end: PartEnd, faults: impl IntoIterator<Item = RawFailure>) {
        let Some(node) = self.node.take() else { return };
        // The handle is dropped outside of the lock, since it may be all that is left of the task.
        let _handle = update_and_leave(node, |shared, synced, deferred| {
            parts::ended(synced, shared, (Phase::Shutdown, end), faults, deferred);
            let handle = parts::shutdown_gone(synced);
            synced.step(shared, Input::ShutdownCallEnded, ArmTimer::IfNew, deferred);
            handle
        });
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.future.is_some() {
            let fault = self.drop_future();
            self.end(PartEnd::Dropped, fault);
        }
    }
}

/// Makes the future of a call for a service of this type.
pub(super) fn future_of<S: Service>(node: Arc<dyn Node>, cx: Context) -> BoxShutdown {
    if const { is_large(S::shutdown) } {
        Box::pin(called::<S, Boxed>(node, cx))
    } else {
        Box::pin(called::<S, Inline>(node, cx))
    }
}

/// Calls `shutdown`; a panic of the drop takes the place of no error.
async fn called<S: Service, P: FutureStorage>(
    node: Arc<dyn Node>,
    cx: Context,
) -> FutureEnd<Result<(), BoxError>> {
    let mut place = pin!(Some(P::shutdown(service_of::<S>(&node), cx)));
    let mut caught = CatchUnwind::new(place.as_mut());
    let FutureEnd { result, dropped } = poll_fn(|cx| caught.poll(cx)).await;
    FutureEnd {
        result: result.map(|result| result.map_err(Into::into)),
        dropped,
    }
}

/// Goes on with a call in a task of its own.
pub(super) fn spawn(on: &Handle, mut call: Call) -> AbortHandle {
    spawn_on(on, std::future::poll_fn(move |cx| call.poll(cx)))
}

/// Aborts the task of a call that has come too late.
pub(super) fn abort(late: Option<AbortHandle>) {
    if let Some(late) = late {
        late.abort();
    }
}
