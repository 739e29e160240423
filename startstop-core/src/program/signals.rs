//! The signals of the operating system that a program listens to.
//!
//! tokio keeps the handlers, once for the process, and never takes them away.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::fmt;

#[cfg(unix)]
pub(super) use unix::{Signals, arm_defaults, disarm_defaults};
#[cfg(windows)]
pub(super) use windows::{Signals, arm_defaults, disarm_defaults};

/// A signal that a program listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// SIGINT; Ctrl-C on Windows.
    Interrupt,
    /// SIGTERM; close and shutdown on Windows.
    Terminate,
    /// SIGHUP: to read the configuration again, or the terminal is gone.
    #[cfg_attr(windows, allow(dead_code))]
    HangUp,
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::HangUp => "SIGHUP",
        })
    }
}
