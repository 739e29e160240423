//! The task that drives a service: one attempt after another, until nobody wants another one.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context as Task, Poll, ready};

use tokio::runtime::RuntimeFlavor;
use tokio::task::yield_now;

use super::Inner;
use super::hook::{self, Call};
use crate::clock;
use crate::context::Context;
use crate::core::{Arm, Core, Cue, Node, Seat, update};
use crate::failure::Fault;
use crate::fence::Fence;
use crate::lifecycle::{Input, Level, RunEnd};
use crate::panic::fenced;
use crate::service::Service;
use crate::state::{Phase, State};
use crate::task::spawn_on;

/// The guard of the driver: tells the core when the runtime drops it.
struct Driver<S: Service> {
    inner: Arc<Inner<S>>,
    id: u32,
    /// It has ended because the core has told it to.
    left: bool,
}

impl<S: Service> Drop for Driver<S> {
    fn drop(&mut self) {
        if self.left {
            return;
        }
        update(&self.inner, |core, cell, after| cell.driver_lost(core, self.id, after));
    }
}

pub(super) fn spawn<S: Service>(inner: Arc<Inner<S>>, seat: &Seat) {
    let driver = Driver { inner, id: seat.id, left: false };
    drop(spawn_on(&seat.on, drive(driver)));
}

/// What the driver does next, as far as it takes more than one poll.
#[derive(Clone, Copy)]
enum Next {
    Run(u64),
    RunSoon(u64),
    Pause(Option<u64>),
    Leave,
    Look,
}

/// Drives the service.
///
/// The future stays with every service that runs, so its size counts: a block keeps one copy of the
/// driver where an `async fn` keeps two, `Next` is not alive across an await, and an attempt knows
/// nothing twice.
#[allow(clippy::manual_async_fn)]
fn drive<S: Service>(driver: Driver<S>) -> impl Future<Output = ()> + Send {
    async move {
        let mut next = Next::Look;
        loop {
            next = match next {
                Next::Run(epoch) => {
                    let place = pin!(None);
                    let mut attempt = Attempt::new(&driver, place);
                    attempt.enter(epoch, |cx| driver.inner.service.run(cx));
                    poll_fn(|cx| attempt.poll(cx)).await
                }
                Next::RunSoon(epoch) => {
                    yield_now().await;
                    Next::Run(epoch)
                }
                Next::Pause(until) => driver.pause(until).await,
                Next::Look => poll_fn(|cx| driver.look(cx)).await,
                Next::Leave => return driver.leave(),
            };
        }
    }
}

impl<S: Service> Driver<S> {
    fn leave(mut self) {
        self.left = true;
    }

    /// Waits until there is an attempt to begin, or none.
    fn look(&self, cx: &mut Task<'_>) -> Poll<Next> {
        let cue =
            update(&self.inner, |core, cell, after| cell.cue(core, self.id, cx.waker(), after));
        self.follow(cue, cx)
    }

    /// Does what the core says, until that takes more than a poll.
    fn follow(&self, mut cue: Cue, cx: &mut Task<'_>) -> Poll<Next> {
        loop {
            match cue {
                Cue::Run(epoch) => return Poll::Ready(Next::Run(epoch)),
                Cue::RunSoon(epoch) => return Poll::Ready(Next::RunSoon(epoch)),
                Cue::Pause(until) => return Poll::Ready(Next::Pause(until)),
                Cue::Leave => return Poll::Ready(Next::Leave),
                Cue::Wait => return Poll::Pending,
                Cue::Hook => {
                    self.call_hook(cx);
                }
                Cue::Ask(predicate, failure) => {
                    // A predicate that panics has not said that it is worth it.
                    let worth_it = fenced(|| predicate(&failure)).unwrap_or(false);
                    self.inner.core.cell().answered(worth_it);
                }
            }
            cue =
                update(&self.inner, |core, cell, after| cell.cue(core, self.id, cx.waker(), after));
        }
    }

    /// Has `shutdown` called, if nobody else does; whether that needed a task.
    fn call_hook(&self, cx: &mut Task<'_>) -> bool {
        let core = &self.inner.core;
        if !core.is_hooked() {
            return false;
        }
        let Some((on, epoch)) = core.cell().take_hook(core) else { return false };
        let mut call = Call::new(Arc::clone(&self.inner), epoch);
        // With one thread a task of its own would not keep `run` going any better.
        let alone = on.runtime_flavor() == RuntimeFlavor::CurrentThread;
        if alone && call.poll(cx).is_ready() {
            return false;
        }
        hook::spawn(&self.inner, &on, call);
        true
    }

    /// Waits until the time of the next attempt, if there is one to wait for, or until something else
    /// comes.
    async fn pause(&self, until: Option<u64>) -> Next {
        // In a box: it is rare, and large beside the future of the service.
        let mut sleep = until.map(|until| match clock::instant(until) {
            Some(at) => Box::pin(tokio::time::sleep_until(at)),
            None => Box::pin(tokio::time::sleep(std::time::Duration::MAX)),
        });
        let mut yielded = false;
        poll_fn(|cx| {
            if self.inner.core.cell().state() == State::Backoff {
                match &mut sleep {
                    Some(sleep) => ready!(sleep.as_mut().poll(cx)),
                    // The runtime gets its turn between two attempts.
                    None if !std::mem::replace(&mut yielded, true) => {
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    None => {}
                }
            }
            sleep = None;
            let cue = update(&self.inner, |core, cell, after| {
                if cell.is_driven_by(self.id) {
                    cell.step(core, Input::BackoffOver, Arm::Now, after);
                }
                cell.cue(core, self.id, cx.waker(), after)
            });
            self.follow(cue, cx)
        })
        .await
    }
}

/// One call of `run`: the current attempt, as long as it has not ended.
struct Attempt<'a, S: Service, F: Future> {
    driver: &'a Driver<S>,
    fence: Fence<'a, F>,
    /// `run` was polled.
    began: bool,
    ended: bool,
    #[cfg(feature = "tracing")]
    span: tracing::Span,
}

impl<'a, S, F> Attempt<'a, S, F>
where
    S: Service,
    F: Future<Output = Result<(), S::Error>>,
{
    fn new(driver: &'a Driver<S>, place: Pin<&'a mut Option<F>>) -> Self {
        Self {
            driver,
            fence: Fence::new(place),
            began: false,
            ended: false,
            #[cfg(feature = "tracing")]
            span: tracing::Span::none(),
        }
    }

    /// Calls `run`: the first line of a plain function that returns a future may panic already.
    fn enter(&mut self, epoch: u64, run: impl FnOnce(Context) -> F) {
        if self.driver.inner.core.current_level() == Level::Aborted {
            return;
        }
        let node: Arc<dyn Node> = Arc::clone(&self.driver.inner) as Arc<dyn Node>;
        let cx = Context::of_run(node, epoch);
        #[cfg(feature = "tracing")]
        let _entered = {
            self.span = crate::trace::span(cx.name(), cx.cycle(), cx.attempt());
            self.span.clone().entered()
        };
        if let Err(panic) = self.fence.fill(|| run(cx)) {
            self.ended = true;
            update(&self.driver.inner, |core, cell, after| {
                cell.run_ended(core, RunEnd::Failed, Some(Fault::panic(panic)), after);
            });
        }
    }

    /// Polls `run`; when it has ended, what comes next.
    fn poll(&mut self, cx: &mut Task<'_>) -> Poll<Next> {
        if self.ended {
            return Poll::Ready(Next::Look);
        }
        let core = &self.driver.inner.core;
        // Before the look at the level: see `Signal::set`.
        core.polling.store(true, Ordering::SeqCst);
        let level = core.current_level();
        if level == Level::Aborted {
            core.polling.store(false, Ordering::Release);
            let dropped = self.fence.clear();
            return self.end(cx, RunEnd::Dropped, dropped.err().map(Fault::panic));
        }
        // `shutdown` may rely on what the first lines of `run` set up, so `run` comes first, once.
        let began = std::mem::replace(&mut self.began, true);
        if began && level == Level::Cancelled && self.driver.call_hook(cx) {
            // It was spawned on this very worker, and `run` may block it: the runtime gets its turn.
            core.polling.store(false, Ordering::Release);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        #[cfg(feature = "tracing")]
        let entered = self.span.enter();
        let polled = self.fence.poll(cx);
        #[cfg(feature = "tracing")]
        drop(entered);
        core.polling.store(false, Ordering::Release);
        match polled {
            Poll::Pending => {
                self.see_that_it_takes_longer(core, cx);
                Poll::Pending
            }
            Poll::Ready(Ok(Ok(()))) => self.end(cx, RunEnd::Ok, None),
            Poll::Ready(Ok(Err(error))) => {
                self.end(cx, RunEnd::Failed, Some(Fault::of(|| error.into())))
            }
            Poll::Ready(Err(panic)) => self.end(cx, RunEnd::Failed, Some(Fault::panic(panic))),
        }
    }

    /// A stop that does not end within a poll needs somebody who keeps its deadline.
    fn see_that_it_takes_longer(&self, core: &Core, cx: &Task<'_>) {
        if core.current_level() == Level::Alive {
            return;
        }
        let hook_due = update(&self.driver.inner, |_, cell, after| {
            cell.hire_keeper(after);
            cell.life.is_hook_due()
        });
        if hook_due {
            // The stop came before the first poll: the next one calls it.
            cx.waker().wake_by_ref();
        }
    }

    fn end(&mut self, cx: &mut Task<'_>, end: RunEnd, fault: Option<Fault>) -> Poll<Next> {
        self.ended = true;
        let id = self.driver.id;
        let cue = update(&self.driver.inner, |core, cell, after| {
            cell.run_ended(core, end, fault, after);
            cell.cue(core, id, cx.waker(), after)
        });
        match cue {
            // The look is a future of its own: what is polled here may be dropped.
            Cue::Wait => Poll::Ready(Next::Look),
            cue => self.driver.follow(cue, cx),
        }
    }
}

/// The runtime drops what it runs when it ends.
impl<S: Service, F: Future> Drop for Attempt<'_, S, F> {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let fault = self.fence.clear().err().map(Fault::panic);
        update(&self.driver.inner, |core, cell, after| {
            cell.lost(core, Phase::Run, after);
            cell.run_ended(core, RunEnd::Dropped, fault, after);
        });
    }
}
