//! Ctrl-C, close and shutdown.

use std::io;
use std::task::{Context as Task, Poll};

use tokio::signal::windows::{CtrlC, CtrlClose, CtrlShutdown, ctrl_c, ctrl_close, ctrl_shutdown};

use super::Signal;

/// The signals that have come since the last reading, or since listening began.
pub(in crate::program) struct Signals {
    ctrl_c: CtrlC,
    close: CtrlClose,
    shutdown: CtrlShutdown,
}

impl Signals {
    /// Listens from now on.
    pub(in crate::program) fn listen() -> io::Result<Self> {
        Ok(Self {
            ctrl_c: ctrl_c()?,
            close: ctrl_close()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    /// Returns the next one. Each kind is handed out once, however often it has come meanwhile.
    pub(in crate::program) fn poll_next(&mut self, cx: &mut Task<'_>) -> Poll<Signal> {
        if self.ctrl_c.poll_recv(cx).is_ready() {
            return Poll::Ready(Signal::Interrupt);
        }
        let ends = self.close.poll_recv(cx).is_ready() || self.shutdown.poll_recv(cx).is_ready();
        if ends {
            Poll::Ready(Signal::Terminate)
        } else {
            Poll::Pending
        }
    }
}

/// Nothing: tokio keeps what it has taken over here.
pub(in crate::program) fn arm_defaults(_of: Signal) {}

/// Nothing, as for [`arm_defaults`].
pub(in crate::program) fn disarm_defaults() {}
