//! One call of `run`, from the call to its end.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context as Task, Poll};

use pin_project_lite::pin_project;

use crate::engine::catch_unwind::{CatchUnwind, FutureEnd};
use crate::engine::{deadline, reload, spans, update};
use crate::report::failure::RawFailure;
use crate::report::panic::{BoxError, PanicError, catch_panic};
use crate::report::state::Phase;
use crate::report::trace::AttemptSpan;
use crate::rules::lifecycle::{RunEnd, StopStage};
use crate::runner::driver::guard::{Driver, EndedRun};
use crate::runner::driver::shutdown_call::MakeShutdown;
use crate::service::context::Context;

pin_project! {
    /// The current attempt, with the future of `run`. It hands on to what does not depend on the type of that.
    pub(super) struct DrivenAttempt<'a, F, E>
    where
        F: Future<Output = Result<(), E>>,
        E: Into<BoxError>,
    {
        call: RunCall<'a>,
        #[pin]
        place: Option<F>,
    }

    /// The runtime drops what it runs when it ends.
    impl<F, E> PinnedDrop for DrivenAttempt<'_, F, E>
    where
        F: Future<Output = Result<(), E>>,
        E: Into<BoxError>,
    {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(driver) = this.call.driver {
                this.call.lose(driver, &mut CatchUnwind::new(this.place));
            }
        }
    }
}

/// The call of `run`, as long as it has not ended.
struct RunCall<'a> {
    /// Until it has ended.
    driver: Option<&'a Driver>,
    span: AttemptSpan,
}

/// The future of `run`, in its place.
trait CaughtRun {
    /// Polls it. When it has ended it is dropped as well.
    fn poll(&mut self, cx: &mut Task<'_>) -> Poll<FutureEnd<Result<(), BoxError>>>;

    /// Drops it where it is.
    fn clear(&mut self) -> Result<(), PanicError>;
}

impl<F, E> CaughtRun for CatchUnwind<'_, F>
where
    F: Future<Output = Result<(), E>>,
    E: Into<BoxError>,
{
    fn poll(&mut self, cx: &mut Task<'_>) -> Poll<FutureEnd<Result<(), BoxError>>> {
        CatchUnwind::poll(self, cx).map(|FutureEnd { result, dropped }| FutureEnd {
            result: match result {
                Ok(Ok(())) => Ok(Ok(())),
                Ok(Err(error)) => catch_panic(|| error.into()).map(Err),
                Err(panic) => Err(panic),
            },
            dropped,
        })
    }

    fn clear(&mut self) -> Result<(), PanicError> {
        CatchUnwind::clear(self)
    }
}

impl<'a, F, E> DrivenAttempt<'a, F, E>
where
    F: Future<Output = Result<(), E>>,
    E: Into<BoxError>,
{
    pub(super) fn new(driver: &'a Driver) -> Self {
        Self {
            call: RunCall {
                driver: Some(driver),
                span: AttemptSpan::default(),
            },
            place: None,
        }
    }

    /// Calls `run`: the first line of a plain function that returns a future may panic already.
    pub(super) fn enter(self: Pin<&mut Self>, epoch: u64, run: impl FnOnce(Context) -> F) {
        let this = self.project();
        let Some(cx) = this.call.enter(epoch) else {
            return;
        };
        let mut caught = CatchUnwind::new(this.place);
        if let Err(panic) = this.call.span.within(|| caught.fill(|| run(cx))) {
            this.call.not_entered(panic);
        }
    }

    /// Polls `run`: how it has ended, unless that was told already.
    pub(super) fn poll(
        self: Pin<&mut Self>,
        shutdown: MakeShutdown,
        cx: &mut Task<'_>,
    ) -> Poll<Option<EndedRun>> {
        let this = self.project();
        let mut caught = CatchUnwind::new(this.place);
        this.call.poll(&mut caught, shutdown, cx)
    }
}

impl RunCall<'_> {
    /// Returns the context of the call of `run`, unless the attempt was aborted before it.
    fn enter(&mut self, epoch: u64) -> Option<Context> {
        let node = self.driver?.node();
        let shared = node.shared();
        // What comes before its future is made may block as well; the first poll follows and takes the mark off.
        shared.polling.store(true, Ordering::SeqCst);
        if shared.current_stage() == StopStage::Aborted {
            return None;
        }
        self.span = spans::enter(node);
        Some(Context::of_run(Arc::clone(node), epoch))
    }

    /// The call of `run` has panicked.
    fn not_entered(&mut self, panic: PanicError) {
        let Some(driver) = self.driver.take() else {
            return;
        };
        let node = driver.node();
        node.shared().polling.store(false, Ordering::Release);
        update(node, |shared, synced, deferred| {
            let fault = [Some(RawFailure::panic(panic)), None];
            synced.run_ended(shared, RunEnd::Failed, fault, deferred);
        });
    }

    /// Polls `run`: how it has ended, unless that was told already.
    fn poll(
        &mut self,
        caught: &mut dyn CaughtRun,
        shutdown: MakeShutdown,
        cx: &mut Task<'_>,
    ) -> Poll<Option<EndedRun>> {
        let Some(driver) = self.driver else {
            return Poll::Ready(None);
        };
        let shared = driver.node().shared();
        // Before the look at the stage: see `StopStageCell::advance`.
        shared.polling.store(true, Ordering::SeqCst);
        let stage = shared.current_stage();
        if stage == StopStage::Aborted {
            let dropped = self.span.within(|| caught.clear());
            shared.polling.store(false, Ordering::Release);
            let dropped = dropped.err().map(RawFailure::panic);
            return self.end(RunEnd::Dropped, [None, dropped]);
        }
        // `run` comes first: `shutdown` may rely on what its first lines set up, and mostly the poll after a stop is its last.
        let polled = self.span.within(|| caught.poll(cx));
        shared.polling.store(false, Ordering::Release);
        match polled {
            Poll::Pending => {
                if shared.reload_open.load(Ordering::Acquire) {
                    update(driver.node(), |shared, synced, deferred| {
                        reload::decide(synced, shared, deferred);
                    });
                }
                see_that_it_takes_longer(driver, shutdown, cx);
                Poll::Pending
            }
            Poll::Ready(FutureEnd { result, dropped }) => {
                let failed = match result {
                    Ok(Ok(())) => None,
                    Ok(Err(error)) => Some(self.span.within(|| RawFailure::of(|| error))),
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

    fn end(&mut self, end: RunEnd, faults: [Option<RawFailure>; 2]) -> Poll<Option<EndedRun>> {
        self.driver = None;
        Poll::Ready(Some(EndedRun { end, faults }))
    }

    /// The runtime drops it before it has ended.
    fn lose(&self, driver: &Driver, caught: &mut dyn CaughtRun) {
        let dropped = self.span.within(|| caught.clear());
        let dropped = dropped.err().map(RawFailure::panic);
        update(driver.node(), |shared, synced, deferred| {
            synced.lost(shared, Phase::Run, deferred);
            synced.run_ended(shared, RunEnd::Dropped, [None, dropped], deferred);
        });
    }
}

/// A stop that does not end within a poll needs somebody who keeps its deadline.
fn see_that_it_takes_longer(driver: &Driver, shutdown: MakeShutdown, cx: &mut Task<'_>) {
    if driver.node().shared().current_stage() == StopStage::Alive {
        return;
    }
    let is_due = update(driver.node(), |_, synced, deferred| {
        deadline::on_polled(synced, deferred);
        synced.life.is_shutdown_call_due()
    });
    if is_due {
        driver.call_beside_run(shutdown, cx);
    }
}
