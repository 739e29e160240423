//! The signals of the operating system that a service listens to.

use std::io;
use std::task::{Context as Task, Poll};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// To end.
    End,
    /// To read the configuration again.
    Reload,
}

#[cfg(unix)]
pub(super) use unix::Signals;

#[cfg(windows)]
pub(super) use windows::Signals;

#[cfg(unix)]
mod unix {
    use tokio::signal::unix::{self, SignalKind};

    use super::{Poll, Signal, Task, io};

    /// SIGINT, SIGTERM and SIGHUP from now on.
    pub(in crate::program) struct Signals {
        interrupt: unix::Signal,
        terminate: unix::Signal,
        hangup: unix::Signal,
    }

    impl Signals {
        pub(in crate::program) fn listen() -> io::Result<Self> {
            Ok(Self {
                interrupt: unix::signal(SignalKind::interrupt())?,
                terminate: unix::signal(SignalKind::terminate())?,
                hangup: unix::signal(SignalKind::hangup())?,
            })
        }

        pub(in crate::program) fn poll_next(&mut self, cx: &mut Task<'_>) -> Poll<Signal> {
            // One at a time: what came beside it is the next.
            if self.interrupt.poll_recv(cx).is_ready() || self.terminate.poll_recv(cx).is_ready() {
                return Poll::Ready(Signal::End);
            }
            self.hangup.poll_recv(cx).map(|_| Signal::Reload)
        }
    }
}

#[cfg(windows)]
mod windows {
    use tokio::signal::windows::{CtrlC, CtrlClose, ctrl_c, ctrl_close};

    use super::{Poll, Signal, Task, io};

    /// Ctrl-C and close from now on.
    pub(in crate::program) struct Signals {
        ctrl_c: CtrlC,
        close: CtrlClose,
    }

    impl Signals {
        pub(in crate::program) fn listen() -> io::Result<Self> {
            Ok(Self { ctrl_c: ctrl_c()?, close: ctrl_close()? })
        }

        pub(in crate::program) fn poll_next(&mut self, cx: &mut Task<'_>) -> Poll<Signal> {
            let is_told =
                self.ctrl_c.poll_recv(cx).is_ready() || self.close.poll_recv(cx).is_ready();
            if is_told { Poll::Ready(Signal::End) } else { Poll::Pending }
        }
    }
}
