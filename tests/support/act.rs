//! The acts of a probe.

use std::sync::Arc;

use startstop_core::{BoxError, Context};

/// The probe's own error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("broken: {0}")]
pub(crate) struct Broken(pub(crate) &'static str);

#[derive(Clone)]
pub(crate) enum Act {
    /// Says that it is ready.
    Ready,
    /// Returns `Ok`.
    Complete,
    /// Returns [`Broken`].
    Fail(&'static str),
    Panic(&'static str),
    /// Takes no more notice of a cancellation; what it is told it still does.
    Hang,
    /// Blocks its thread until it is released.
    Block,
    /// Releases what blocks.
    Release,
    /// Spawns a task that does this; one that is told nothing else waits for the cancellation.
    Spawn(Box<Act>),
    /// Does something with its context.
    With(Arc<dyn Fn(&Context) + Send + Sync>),
}

impl Act {
    pub(crate) fn with(f: impl Fn(&Context) + Send + Sync + 'static) -> Self {
        Self::With(Arc::new(f))
    }

    pub(crate) fn spawn(act: Self) -> Self {
        Self::Spawn(Box::new(act))
    }

    /// The ends that acts lead to.
    pub(crate) fn end(&self) -> Option<Result<(), BoxError>> {
        match self {
            Self::Complete => Some(Ok(())),
            Self::Fail(why) => Some(Err(Broken(why).into())),
            Self::Panic(why) => panic!("{why}"),
            _ => None,
        }
    }
}
