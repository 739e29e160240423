//! What went wrong, and what callers are told of it.

use std::any::Any;
use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Run,
    Shutdown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Error,
    Panic,
    TimedOut,
    Unresponsive,
    Aborted,
}

/// One that is recorded.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) error: Arc<dyn Error + Send + Sync>,
    pub(crate) phase: Phase,
    pub(crate) cause: Cause,
    pub(crate) cycle: u64,
    pub(crate) attempt: u64,
    pub(crate) at: SystemTime,
    /// How long the attempt had run.
    pub(crate) uptime: Duration,
}

/// The same, before it has a place in the history.
pub(super) struct Raw {
    pub(super) error: Arc<dyn Error + Send + Sync>,
    pub(super) phase: Phase,
    pub(super) cause: Cause,
}

impl Raw {
    /// Not inlined: it is seldom.
    #[cold]
    pub(super) fn panic(phase: Phase, payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let error = Message(text.unwrap_or("a panic without a message").to_owned());
        Self {
            error: Arc::new(error),
            phase,
            cause: Cause::Panic,
        }
    }

    #[cold]
    pub(super) fn lack(phase: Phase, cause: Cause) -> Self {
        let error = Message(format!("{cause:?}"));
        Self {
            error: Arc::new(error),
            phase,
            cause,
        }
    }
}

#[derive(Debug)]
struct Message(String);

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Message {}

/// The last failures of all cycles.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub(crate) entries: VecDeque<Failure>,
    pub(crate) evicted: u64,
}

impl History {
    /// Keeps it, and returns one that is to be dropped after the lock.
    pub(super) fn push(&mut self, failure: Failure, most: usize) -> Option<Failure> {
        let old = if self.entries.len() >= most {
            self.evicted += 1;
            self.entries.pop_front()
        } else {
            None
        };
        if most == 0 {
            return Some(failure);
        }
        self.entries.push_back(failure);
        old
    }
}

#[derive(Clone, Debug)]
pub(crate) enum StartError {
    /// A stop came.
    Stopped,
    /// What ran before has not ended.
    Unresponsive,
    /// It was called outside of tokio, or the runtime has ended.
    NoRuntime,
}

#[derive(Clone, Debug)]
pub(crate) enum StopError {
    /// Something failed after the stop had begun.
    Failed(Box<Failure>),
    /// It was dropped at its deadline.
    TimedOut,
    /// It does not yield.
    Unresponsive,
}

/// How the last cycle ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Completed,
    Stopped,
    Failed,
    Aborted,
    Unresponsive,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            error,
            phase,
            cause,
            cycle,
            attempt,
            at,
            uptime,
        } = self;
        write!(
            f,
            "{phase:?} of attempt {attempt} of cycle {cycle}, {cause:?} after {uptime:?} at {at:?}: {error}"
        )
    }
}

impl fmt::Display for StopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(failure) => failure.fmt(f),
            Self::TimedOut => f.write_str("it was dropped at its deadline"),
            Self::Unresponsive => f.write_str("it does not yield"),
        }
    }
}
