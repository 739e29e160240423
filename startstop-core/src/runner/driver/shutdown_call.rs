//! The call of `shutdown`.
//!
//! It runs in a task of its own, while `run` goes on. On a single-threaded runtime the driver makes the
//! first poll of it, between two polls of `run`, so that one that is ready at once costs no task; with
//! more threads that would keep `run` from going on while `shutdown` blocks.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use tokio::runtime::Handle;

use super::Inner;
use crate::engine::gate::update_and_leave;
use crate::engine::task::spawn_on;
use crate::engine::{Arm, Node, PartEnd};
use crate::report::failure::Fault;
use crate::report::panic::{BoxError, PanicError, fenced};
use crate::report::state::Phase;
use crate::rules::lifecycle::Input;
use crate::service::Service;
use crate::service::context::Context;

type BoxFuture = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

/// A call of `shutdown` that was taken on. Dropping it ends it.
pub(super) struct Call {
    /// Until the call has ended.
    node: Option<Arc<dyn Node>>,
    epoch: u64,
    future: Option<BoxFuture>,
}

impl Call {
    pub(super) fn new<S: Service>(inner: Arc<Inner<S>>, epoch: u64) -> Self {
        let node: Arc<dyn Node> = Arc::clone(&inner) as Arc<dyn Node>;
        let cx = Context::of_shutdown(Arc::clone(&node), epoch);
        let future = Box::pin(async move { inner.service.shutdown(cx).await.map_err(Into::into) });
        Self { node: Some(node), epoch, future: Some(future) }
    }

    pub(super) fn poll(&mut self, cx: &mut Task<'_>) -> Poll<()> {
        let Some(future) = &mut self.future else { return Poll::Ready(()) };
        let result = match fenced(|| future.as_mut().poll(cx)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(result)) => result.map_err(|error| Fault::of(|| error)),
            Err(panic) => Err(Fault::panic(panic)),
        };
        let dropped = self.clear().map_err(Fault::panic);
        self.end(PartEnd::Finished, result.and(dropped).err());
        Poll::Ready(())
    }

    fn clear(&mut self) -> Result<(), PanicError> {
        fenced(|| self.future = None)
    }

    fn end(&mut self, end: PartEnd, fault: Option<Fault>) {
        let Some(node) = self.node.take() else { return };
        // The handle is dropped outside of the lock, since it may be all that is left of the task.
        let _handle = update_and_leave(node, |core, cell, after| {
            cell.part_ended(core, (Phase::Shutdown, end), fault, after);
            let handle = cell.hook_gone();
            cell.step(core, Input::HookEnded, Arm::IfNew, after);
            handle
        });
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.future.is_some() {
            let fault = self.clear().err().map(Fault::panic);
            self.end(PartEnd::Dropped, fault);
        }
    }
}

/// Goes on with a call in a task of its own.
pub(super) fn spawn<N: Node>(node: &Arc<N>, on: &Handle, mut call: Call) {
    let epoch = call.epoch;
    let task = spawn_on(on, std::future::poll_fn(move |cx| call.poll(cx)));
    let late = node.core().cell().hook_spawned(epoch, task);
    if let Some(late) = late {
        late.abort();
    }
}
