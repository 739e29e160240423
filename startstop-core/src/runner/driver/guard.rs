//! The driver of a service, as the engine knows it: which step comes next, and its guard against the end of the runtime.

use std::sync::Arc;
use std::task::{Context as Task, Poll};

use tokio::runtime::{Handle, RuntimeFlavor};

use super::shutdown_call::{self, Call, EndedCall, MakeShutdown};
use crate::engine::gate::{update_and_leave, update_or_leave};
use crate::engine::{
    ArmTimer, Deferred, DriverStep, Node, PartEnd, RetryAnswer, Shared, Synced, deadline, parts,
    update,
};
use crate::report::failure::RawFailure;
use crate::report::panic::catch_panic;
use crate::rules::lifecycle::{Input, RunEnd, StopStage};

/// The guard of the driver: tells the engine when the runtime drops it.
pub(super) struct Driver {
    /// Until it leaves.
    node: Option<Arc<dyn Node>>,
    id: u32,
    /// It has ended because the engine has told it to.
    left: bool,
}

impl Drop for Driver {
    fn drop(&mut self) {
        let Some(node) = self.node.take().filter(|_| !self.left) else {
            return;
        };
        update_and_leave(node, |shared, synced, deferred| {
            synced.driver_lost(shared, self.id, deferred);
        });
    }
}

/// The next step of the driver, where that takes more than one poll.
#[derive(Clone, Copy)]
pub(super) enum Next {
    Run(u64),
    RunSoon(u64),
    /// It calls `shutdown` in the attempt with this number.
    ShutdownCall(u64),
    Pause(Option<u64>),
    Settle,
    Leave,
    Look,
}

/// The end of `run`, and what has failed in it and in its drop.
pub(super) struct EndedRun {
    pub(super) end: RunEnd,
    pub(super) faults: [Option<RawFailure>; 2],
}

impl Driver {
    pub(super) fn new(node: Arc<dyn Node>, id: u32) -> Self {
        Self {
            node: Some(node),
            id,
            left: false,
        }
    }

    pub(super) fn leave(mut self) {
        self.left = true;
    }

    pub(super) fn node(&self) -> &Arc<dyn Node> {
        self.node
            .as_ref()
            .expect("a driver that has left is not polled")
    }

    /// Tells the engine of the end of `run`, if that is to be told.
    pub(super) fn end_run(&mut self, ended: Option<EndedRun>) -> Next {
        let Some(EndedRun { end, faults }) = ended else {
            return Next::Look;
        };
        self.end_part(|shared, synced, deferred| synced.run_ended(shared, end, faults, deferred))
    }

    /// Settles the attempt that is over.
    pub(super) fn settle(&mut self) -> Next {
        self.end_part(|_, _, _| ())
    }

    /// Changes the engine at the end of a part. If that is the end of the attempt, it is settled under the same lock; if nothing
    /// follows, the driver lets go of the service before anybody sees that it has ended.
    pub(super) fn end_part(
        &mut self,
        change: impl FnOnce(&Shared, &mut Synced, &mut Deferred),
    ) -> Next {
        let Some(node) = self.node.take() else {
            return Next::Leave;
        };
        let id = self.id;
        let change = |shared: &Shared, synced: &mut Synced, deferred: &mut Deferred| {
            deferred.is_by_driver = true;
            change(shared, synced, deferred);
            synced.step_after_part(shared, id, deferred)
        };
        let (step, node) = update_or_leave(node, change, |step| matches!(step, DriverStep::Leave));
        self.node = node;
        match step {
            DriverStep::Run(epoch) => Next::Run(epoch),
            DriverStep::RunSoon(epoch) => Next::RunSoon(epoch),
            DriverStep::ShutdownCall(epoch) => Next::ShutdownCall(epoch),
            DriverStep::Pause(until) => Next::Pause(until),
            DriverStep::Leave => Next::Leave,
            _ => Next::Look,
        }
    }

    /// Waits until there is an attempt to begin, or none.
    pub(super) fn poll_step(&self, cx: &mut Task<'_>) -> Poll<Next> {
        let step = self.next_step(cx);
        self.execute(step, cx)
    }

    pub(super) fn next_step(&self, cx: &Task<'_>) -> DriverStep {
        self.step_after(cx, |_, _, _| ())
    }

    /// Changes the engine, and asks what comes next.
    pub(super) fn step_after(
        &self,
        cx: &Task<'_>,
        change: impl FnOnce(&Shared, &mut Synced, &mut Deferred),
    ) -> DriverStep {
        update(self.node(), |shared, synced, deferred| {
            deferred.is_by_driver = true;
            change(shared, synced, deferred);
            synced.next_step(shared, self.id, cx.waker(), deferred)
        })
    }

    /// Does what the engine says, until that takes more than a poll.
    pub(super) fn execute(&self, mut step: DriverStep, cx: &mut Task<'_>) -> Poll<Next> {
        loop {
            match step {
                DriverStep::Run(epoch) => return Poll::Ready(Next::Run(epoch)),
                DriverStep::RunSoon(epoch) => return Poll::Ready(Next::RunSoon(epoch)),
                DriverStep::Pause(until) => return Poll::Ready(Next::Pause(until)),
                DriverStep::Settle => return Poll::Ready(Next::Settle),
                DriverStep::Leave => return Poll::Ready(Next::Leave),
                DriverStep::Wait => return Poll::Pending,
                // `run` has ended, so nothing is held up by the call.
                DriverStep::ShutdownCall(epoch) => return Poll::Ready(Next::ShutdownCall(epoch)),
                DriverStep::Close(endings) => {
                    // A panic is a failure of the attempt.
                    let panics = endings
                        .into_iter()
                        .filter_map(|ending| catch_panic(ending.0).err());
                    let faults = panics.map(RawFailure::panic).collect();
                    step = self.step_after(cx, |shared, synced, deferred| {
                        synced.closed(shared, faults, deferred);
                    });
                }
                DriverStep::AskPolicy(predicate, failure) => {
                    // A predicate that panics has not said that it is worth it, and that is a failure too.
                    let (answer, fault) = match catch_panic(|| predicate(&failure)) {
                        Ok(true) => (RetryAnswer::Retry, None),
                        Ok(false) => (RetryAnswer::End, None),
                        Err(panic) => (RetryAnswer::End, Some(RawFailure::panic(panic))),
                    };
                    step = self.step_after(cx, |shared, synced, deferred| {
                        synced.answered(shared, answer, fault, deferred);
                    });
                }
            }
        }
    }

    /// Takes on the call of `shutdown`, if nobody else has: where the service runs, and the number of its attempt.
    fn claim_call(&self) -> Option<(Handle, u64)> {
        let shared = self.node().shared();
        if !shared.has_shutdown_call() {
            return None;
        }
        shared.synced().claim_shutdown(shared)
    }

    /// Makes the call that was taken on.
    #[inline]
    pub(super) fn call(&self, epoch: u64, shutdown: MakeShutdown) -> Call {
        Call::new(Arc::clone(self.node()), epoch, shutdown)
    }

    /// Calls `shutdown` while `run` goes on.
    pub(super) fn call_beside_run(&self, shutdown: MakeShutdown, cx: &mut Task<'_>) {
        let Some((on, epoch)) = self.claim_call() else {
            return;
        };
        let mut call = self.call(epoch, shutdown);
        // With one thread a task of its own would not keep `run` going any better.
        let alone = on.runtime_flavor() == RuntimeFlavor::CurrentThread;
        if !alone || call.poll(cx).is_pending() {
            let task = shutdown_call::spawn(&on, call);
            // In a statement of its own, so that it is aborted outside of the lock.
            let shared = self.node().shared();
            let late = parts::shutdown_spawned(&mut shared.synced(), shared, epoch, task);
            shutdown_call::abort(late);
        }
    }

    /// Polls `shutdown`: how it has ended.
    #[inline]
    pub(super) fn poll_call(&self, call: &mut Call, cx: &mut Task<'_>) -> Poll<EndedCall> {
        if self.node().shared().current_stage() == StopStage::Aborted {
            return Poll::Ready((PartEnd::Dropped, Vec::from_iter(call.drop_future())));
        }
        match call.poll_future(cx) {
            Poll::Ready(faults) => Poll::Ready((PartEnd::Finished, faults)),
            Poll::Pending => {
                self.see_that_it_takes_longer(call, cx);
                Poll::Pending
            }
        }
    }

    /// Tells the engine of the end of `shutdown`.
    pub(super) fn end_call(&mut self, call: &mut Call, ended: EndedCall) -> Next {
        self.end_part(|shared, synced, deferred| call.ended(ended, shared, synced, deferred))
    }

    /// A `shutdown` that is not ready after another turn of the runtime needs somebody who keeps its deadline; with more than
    /// one thread that is seen to.
    fn see_that_it_takes_longer(&self, call: &mut Call, cx: &mut Task<'_>) {
        if !self.node().shared().synced().has_one_thread() {
            return;
        }
        if call.is_pending_again() {
            update(self.node(), |_, synced, deferred| {
                deadline::on_polled(synced, deferred);
            });
        } else {
            cx.waker().wake_by_ref();
        }
    }
    /// The time of the next attempt has come, or something else has.
    pub(super) fn end_backoff(&self, cx: &mut Task<'_>) -> Poll<Next> {
        let step = self.step_after(cx, |shared, synced, deferred| {
            if synced.is_driven_by(self.id) {
                synced.step(shared, Input::BackoffOver, ArmTimer::Now, deferred);
            }
        });
        self.execute(step, cx)
    }
}
