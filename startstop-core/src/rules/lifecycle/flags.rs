//! What the life of a service is told by, beside its state.

/// Why the attempt ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum End {
    /// It does not.
    #[default]
    None,
    /// `run` returned `Ok` by itself.
    Completed,
    /// `run` failed by itself.
    Failed,
    /// A stop, a restart or a start was asked for.
    Asked,
    /// It was not ready in time.
    Late,
    /// It missed its heartbeat.
    Silent,
}

/// How far the end of the attempt has come; what the contexts see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) enum StopStage {
    /// Nothing was asked of it.
    #[default]
    Alive,
    /// The drain has begun.
    Draining,
    /// The context is cancelled.
    Cancelled,
    /// What is left is dropped at its next await point.
    Aborted,
}

/// The call of `shutdown` in this attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum ShutdownCall {
    /// Not asked for.
    #[default]
    Idle,
    /// Asked for; nobody has taken it on.
    Due,
    /// Being executed.
    Live,
    /// Ended.
    Done,
}

/// Which deadline is to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timer {
    None,
    /// While starting: the start timeout, if there is one, and the watchdog.
    Start,
    /// While running: the watchdog, if there is one.
    Watch,
    /// The drain, or the stop if that is earlier.
    Drain,
    Stop,
    Abort,
}
