//! All that the driver waits for outside of `run`. No type of a service is known here, so that it is compiled once for all of
//! them.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};

use super::guard::{Driver, Next};
use super::shutdown_call::{Call, MakeShutdown};
use crate::engine::Alarm;
use crate::report::state::State;

/// The time from the end of one call of `run` to the next one.
pub(super) enum Interlude {
    At(Next),
    Call(Call),
    Pause(Pause),
}

impl Interlude {
    pub(super) fn new(next: Next) -> Self {
        Self::At(next)
    }

    /// Goes on until `run` is to be called, or the driver is to leave.
    pub(super) fn poll(
        &mut self,
        driver: &mut Driver,
        shutdown: MakeShutdown,
        cx: &mut Task<'_>,
    ) -> Poll<Next> {
        loop {
            let next = match self {
                Self::At(Next::Look) => ready!(driver.poll_step(cx)),
                Self::At(Next::Settle) => driver.settle(),
                Self::At(next) => *next,
                Self::Call(call) => {
                    let ended = ready!(driver.poll_call(call, cx));
                    driver.end_call(call, ended)
                }
                Self::Pause(pause) => ready!(pause.poll(driver, cx)),
            };
            *self = match next {
                Next::Run(_) | Next::RunSoon(_) | Next::Leave => return Poll::Ready(next),
                Next::ShutdownCall(epoch) => Self::Call(driver.call(epoch, shutdown)),
                Next::Pause(until) => Self::Pause(Pause::new(until)),
                Next::Settle | Next::Look => Self::At(next),
            };
        }
    }
}

/// A wait until the time of the next attempt, if there is one to wait for, or until something else comes.
pub(super) struct Pause {
    alarm: Option<Alarm>,
    /// The runtime gets its turn between two attempts, however short the delay.
    yields: bool,
}

impl Pause {
    fn new(until: Option<u64>) -> Self {
        Self {
            alarm: until.map(Alarm::at),
            yields: true,
        }
    }

    fn poll(&mut self, driver: &Driver, cx: &mut Task<'_>) -> Poll<Next> {
        if std::mem::take(&mut self.yields) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(alarm) = &mut self.alarm {
            if driver.node().shared().atomic_state.read().state() == State::Backoff {
                ready!(Pin::new(alarm).poll(cx));
            }
        }
        self.alarm = None;
        driver.end_backoff(cx)
    }
}
