//! How a child process fails.

use std::fmt;
use std::io;

use crate::signal::Signal;

/// Why an attempt of a [`Process`](crate::Process) has failed.
///
/// `tail` has the last 20 lines of its standard error, each of at most 8 KB.
///
/// # Examples
///
/// ```
/// use startstop_core::Runner;
/// use startstop_process::{Process, ProcessError};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runner = Runner::new(Process::new("no-such-program"));
/// assert!(runner.start().await.is_err());
/// let failure = runner.errors_last().unwrap();
/// let error = failure.error().downcast_ref::<ProcessError>();
/// assert!(matches!(error, Some(ProcessError::NotFound { .. })));
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// The program is not there.
    #[error("`{program}` is not there")]
    NotFound {
        /// The program that was to be run.
        program: String,
    },
    /// The program is there, or may be, and could not be run.
    #[error("`{program}` could not be run{}", because(why.as_ref()))]
    Spawn {
        /// The program that was to be run.
        program: String,
        /// The obstacle, where it is known better than the system says.
        why: Option<String>,
        /// The error of the system.
        source: io::Error,
    },
    /// It has left with a code that is not one of the success codes.
    #[error("exited with code {code}{}", last(tail))]
    Exited {
        /// The code.
        code: i32,
        /// The last lines of its standard error.
        tail: Vec<String>,
    },
    /// A signal has ended it that was not the stop signal of a stop.
    #[error("ended by {signal}{}{}", if *core_dumped { ", core dumped" } else { "" }, last(tail))]
    Signalled {
        /// The signal.
        signal: Signal,
        /// Whether it has left a core dump.
        core_dumped: bool,
        /// The last lines of its standard error.
        tail: Vec<String>,
    },
    /// It has ended before it was ready, with a success code; or it did not become ready in time: then this is
    /// reported beside the failure of the runner, which is [`Cause::TimedOut`](startstop_core::Cause::TimedOut).
    #[error("not ready: {why}{}", last(tail))]
    NotReady {
        /// The condition that was waited for.
        why: String,
        /// The last lines of its standard error.
        tail: Vec<String>,
    },
    /// It has said `WATCHDOG=trigger`, for it has found itself what a watchdog is for, and its group was killed.
    #[error("it has triggered its watchdog{}", last(tail))]
    Triggered {
        /// The last lines of its standard error.
        tail: Vec<String>,
    },
    /// Processes of its group are alive although they were killed.
    #[error("left behind, alive after SIGKILL: {pids:?}")]
    LeftBehind {
        /// Their ids.
        pids: Vec<u32>,
    },
}

fn because(why: Option<&String>) -> impl fmt::Display {
    why.map_or_else(String::new, |why| format!(": {why}"))
}

pub(crate) fn last(tail: &[String]) -> impl fmt::Display {
    tail.last()
        .map_or_else(String::new, |line| format!(": {line}"))
}
