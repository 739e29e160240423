//! One call of `run`, from the call to its end.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context as Task, Poll};

use crate::engine::catch_unwind::{CatchUnwind, FutureEnd};
use crate::engine::{Node, Shared, deadline, reload, spans, update};
use crate::report::failure::RawFailure;
use crate::report::state::Phase;
use crate::report::trace::AttemptSpan;
use crate::rules::lifecycle::{RunEnd, StopStage};
use crate::runner::driver::guard::{Driver, EndedRun};
use crate::service::Service;
use crate::service::context::Context;

/// The current attempt, as long as it has not ended.
pub(super) struct DrivenAttempt<'a, S: Service, F: Future> {
    driver: &'a Driver<S>,
    caught: CatchUnwind<'a, F>,
    /// `run` was polled.
    began: bool,
    ended: bool,
    span: AttemptSpan,
}

impl<'a, S, F> DrivenAttempt<'a, S, F>
where
    S: Service,
    F: Future<Output = Result<(), S::Error>>,
{
    pub(super) fn new(driver: &'a Driver<S>, place: Pin<&'a mut Option<F>>) -> Self {
        Self {
            driver,
            caught: CatchUnwind::new(place),
            began: false,
            ended: false,
            span: AttemptSpan::default(),
        }
    }

    /// Calls `run`: the first line of a plain function that returns a future may panic already.
    pub(super) fn enter(&mut self, epoch: u64, run: impl FnOnce(Context) -> F) {
        let shared = &self.driver.inner().shared;
        // What comes before its future is made may block as well; the first poll follows and takes the mark off.
        shared.polling.store(true, Ordering::SeqCst);
        if shared.current_stage() == StopStage::Aborted {
            return;
        }
        let node: Arc<dyn Node> = Arc::clone(self.driver.inner()) as Arc<dyn Node>;
        let cx = Context::of_run(node, epoch);
        self.span = spans::enter(self.driver.inner());
        if let Err(panic) = self.span.within(|| self.caught.fill(|| run(cx))) {
            self.ended = true;
            shared.polling.store(false, Ordering::Release);
            update(self.driver.inner(), |shared, synced, deferred| {
                synced.run_ended(
                    shared,
                    RunEnd::Failed,
                    [Some(RawFailure::panic(panic)), None],
                    deferred,
                );
            });
        }
    }

    /// Polls `run`: how it has ended, unless that was told already.
    pub(super) fn poll(&mut self, cx: &mut Task<'_>) -> Poll<Option<EndedRun>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let shared = &self.driver.inner().shared;
        if self.began {
            // Before the look at the stage: see `StopStageCell::advance`.
            shared.polling.store(true, Ordering::SeqCst);
        }
        let stage = shared.current_stage();
        if stage == StopStage::Aborted {
            let dropped = self.span.within(|| self.caught.clear());
            shared.polling.store(false, Ordering::Release);
            let dropped = dropped.err().map(RawFailure::panic);
            return self.end(RunEnd::Dropped, [None, dropped]);
        }
        // `run` comes first: `shutdown` may rely on what its first lines set up, and mostly the poll after a stop is its last.
        self.began = true;
        let polled = self.span.within(|| self.caught.poll(cx));
        shared.polling.store(false, Ordering::Release);
        match polled {
            Poll::Pending => {
                if shared.reload_open.load(Ordering::Acquire) {
                    update(self.driver.inner(), |shared, synced, deferred| {
                        reload::decide(synced, shared, deferred);
                    });
                }
                self.see_that_it_takes_longer(shared, cx);
                Poll::Pending
            }
            Poll::Ready(FutureEnd { result, dropped }) => {
                let failed = match result {
                    Ok(Ok(())) => None,
                    Ok(Err(error)) => Some(self.span.within(|| RawFailure::of(|| error.into()))),
                    Err(panic) => Some(RawFailure::panic(panic)),
                };
                let faults = [failed, dropped.map(RawFailure::panic)];
                let end = if faults.iter().all(Option::is_none) {
                    RunEnd::Ok
                } else {
                    RunEnd::Failed
                };
                self.end(end, faults)
            }
        }
    }

    /// A stop that does not end within a poll needs somebody who keeps its deadline.
    fn see_that_it_takes_longer(&self, shared: &Shared, cx: &mut Task<'_>) {
        if shared.current_stage() == StopStage::Alive {
            return;
        }
        let is_due = update(self.driver.inner(), |_, synced, deferred| {
            deadline::on_polled(synced, deferred);
            synced.life.is_shutdown_call_due()
        });
        if is_due {
            self.driver.call_beside_run(cx);
        }
    }

    fn end(&mut self, end: RunEnd, faults: [Option<RawFailure>; 2]) -> Poll<Option<EndedRun>> {
        self.ended = true;
        Poll::Ready(Some(EndedRun { end, faults }))
    }
}

/// The runtime drops what it runs when it ends.
impl<S: Service, F: Future> Drop for DrivenAttempt<'_, S, F> {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let dropped = self
            .span
            .within(|| self.caught.clear())
            .err()
            .map(RawFailure::panic);
        update(self.driver.inner(), |shared, synced, deferred| {
            synced.lost(shared, Phase::Run, deferred);
            synced.run_ended(shared, RunEnd::Dropped, [None, dropped], deferred);
        });
    }
}
