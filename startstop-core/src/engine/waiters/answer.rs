//! The answer to a waiter.

use crate::report::error::{ReloadError, StartError, StopError, Unresponsive};
use crate::report::failure::Failure;
use crate::report::state::Exit;

/// The answer to a waiter: the outcome of a request, or that something has happened.
///
/// The outcomes of all kinds of requests are one list here, for then an answer is no larger than the waker of who waits.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// It was carried out.
    Done,
    Failed(Failure),
    TimedOut,
    Stopped,
    Cancelled,
    /// A start: something of an earlier attempt does not yield.
    Blocked,
    /// A stop: what does not yield.
    Unresponsive(Unresponsive),
    NoRuntime,
    NotSupported,
    End(Exit),
    /// A reload request of this round.
    Handed(u32),
    /// It has happened.
    Seen,
}

impl Answer {
    pub(crate) fn start(self) -> Option<Result<(), StartError>> {
        Some(Err(match self {
            Self::Done => return Some(Ok(())),
            Self::Failed(failure) => StartError::Failed(failure),
            Self::TimedOut => StartError::TimedOut,
            Self::Stopped => StartError::Stopped,
            Self::Cancelled => StartError::Cancelled,
            Self::Blocked => StartError::Unresponsive,
            Self::NoRuntime => StartError::NoRuntime,
            _ => return None,
        }))
    }

    pub(crate) fn stop(self) -> Option<Result<(), StopError>> {
        Some(Err(match self {
            Self::Done => return Some(Ok(())),
            Self::Failed(failure) => StopError::Failed(failure),
            Self::TimedOut => StopError::TimedOut,
            Self::Unresponsive(stuck) => StopError::Unresponsive(stuck),
            _ => return None,
        }))
    }

    pub(crate) fn end(self) -> Option<Exit> {
        match self {
            Self::End(exit) => Some(exit),
            _ => None,
        }
    }

    pub(crate) fn reload(self) -> Option<Result<(), ReloadError>> {
        Some(Err(match self {
            Self::Done => return Some(Ok(())),
            Self::Failed(failure) => ReloadError::Failed(failure),
            Self::Stopped => ReloadError::Stopped,
            Self::NotSupported => ReloadError::NotSupported,
            _ => return None,
        }))
    }

    pub(crate) fn seen(self) -> Option<()> {
        match self {
            Self::Seen => Some(()),
            _ => None,
        }
    }
}

impl<E: Into<Self>> From<Result<(), E>> for Answer {
    fn from(outcome: Result<(), E>) -> Self {
        match outcome {
            Ok(()) => Self::Done,
            Err(error) => error.into(),
        }
    }
}

impl From<StartError> for Answer {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Failed(failure) => Self::Failed(failure),
            StartError::TimedOut => Self::TimedOut,
            StartError::Stopped => Self::Stopped,
            StartError::Cancelled => Self::Cancelled,
            StartError::Unresponsive => Self::Blocked,
            StartError::NoRuntime => Self::NoRuntime,
        }
    }
}

impl From<StopError> for Answer {
    fn from(error: StopError) -> Self {
        match error {
            StopError::Failed(failure) => Self::Failed(failure),
            StopError::TimedOut => Self::TimedOut,
            StopError::Unresponsive(stuck) => Self::Unresponsive(stuck),
        }
    }
}

impl From<ReloadError> for Answer {
    fn from(error: ReloadError) -> Self {
        match error {
            ReloadError::Failed(failure) => Self::Failed(failure),
            ReloadError::NotSupported => Self::NotSupported,
            ReloadError::Stopped => Self::Stopped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Answer;
    use crate::report::error::{ReloadError, StartError, StopError};

    #[test]
    fn an_outcome_comes_out_as_it_went_in() {
        let starts = [
            StartError::TimedOut,
            StartError::Stopped,
            StartError::Cancelled,
            StartError::Unresponsive,
            StartError::NoRuntime,
        ];
        for error in starts {
            let text = error.to_string();
            let answer = Answer::from(error).start().expect("it is one of a start");
            assert_eq!(answer.expect_err("it went in").to_string(), text);
        }
        for error in [ReloadError::NotSupported, ReloadError::Stopped] {
            let text = error.to_string();
            let answer = Answer::from(error).reload().expect("it is one of a reload");
            assert_eq!(answer.expect_err("it went in").to_string(), text);
        }
        let late = Answer::from(StopError::TimedOut).stop();
        assert!(matches!(late, Some(Err(StopError::TimedOut))));
        let done = Answer::from(Ok::<(), StopError>(()));
        assert!(matches!(done.clone().start(), Some(Ok(()))));
        assert!(matches!(done.clone().stop(), Some(Ok(()))));
        assert!(matches!(done.reload(), Some(Ok(()))));
    }
}
