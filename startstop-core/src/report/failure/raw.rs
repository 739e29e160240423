//! The failure of a part of an attempt, before it is recorded.

use std::borrow::Cow;

use super::Interruption;
use crate::report::panic::{BoxError, PanicError, catch_panic};
use crate::report::permanent::Permanent;
use crate::report::state::Cause;

/// The failure of a part of an attempt, before it has a place in the history.
///
/// [`of`](Self::of) an error of the service is built outside of the lock: to look at one is user code.
#[derive(Debug)]
pub(crate) struct RawFailure {
    pub(crate) cause: Cause,
    pub(crate) error: BoxError,
    /// Restarting is pointless.
    pub(crate) permanent: bool,
    /// The name of the task that it is of.
    pub(crate) task: Option<Cow<'static, str>>,
}

impl RawFailure {
    /// An error that the service has returned. Its conversion and its source chain are user code,
    /// which may panic.
    pub(crate) fn of(error: impl FnOnce() -> BoxError) -> Self {
        let looked_at = catch_panic(|| {
            let error = error();
            let permanent = Permanent::is_in(&*error);
            (error, permanent)
        });
        match looked_at {
            Ok((error, permanent)) => Self {
                permanent,
                ..Self::new(Cause::Error, error)
            },
            Err(panic) => Self::panic(panic),
        }
    }

    /// Returns what a part that has ended has failed with, if it has.
    pub(crate) fn of_end(end: Result<Result<(), BoxError>, PanicError>) -> Option<Self> {
        match end {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(Self::of(|| error)),
            Err(panic) => Some(Self::panic(panic)),
        }
    }

    pub(crate) fn reported(error: BoxError) -> Self {
        Self::new(Cause::Reported, error)
    }

    pub(crate) fn panic(error: PanicError) -> Self {
        Self::new(Cause::Panic, Box::new(error))
    }

    pub(crate) fn interruption(error: Interruption) -> Self {
        let cause = match error {
            Interruption::StartTimedOut { .. }
            | Interruption::StopTimedOut { .. }
            | Interruption::MembersNotReady { .. }
            | Interruption::MembersNotStopped { .. } => Cause::TimedOut,
            Interruption::Unresponsive { .. } | Interruption::Silent { .. } => Cause::Unresponsive,
            Interruption::RestartLimit => Cause::Error,
            Interruption::NotReady => Cause::NotReady,
            Interruption::RuntimeEnded => Cause::Aborted,
            Interruption::Completed => Cause::Completed,
        };
        Self::new(cause, Box::new(error))
    }

    fn new(cause: Cause, error: BoxError) -> Self {
        Self {
            cause,
            error,
            permanent: false,
            task: None,
        }
    }

    /// The same, of the task with this name.
    pub(crate) fn of_task(mut self, name: Option<Cow<'static, str>>) -> Self {
        self.task = name;
        self
    }
}
