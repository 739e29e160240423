//! The inputs of the lifecycle.

/// An input of the lifecycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// A start: a running service is stopped first.
    Start,
    /// A start that leaves a running service alone.
    Ensure,
    /// A stop and then a start.
    Restart,
    /// A graceful stop, after a drain if there is one.
    Stop,
    /// The owner drains: the service goes on, and the others look away.
    Drain,
    /// A graceful stop without a drain, or the end of one.
    StopNow,
    /// A stop that does not ask: what runs is aborted.
    Abort,
    /// The driver is about to call `run`.
    Enter,
    /// The service says that it is ready.
    Ready,
    /// `run` has ended and is dropped.
    RunEnded(RunEnd),
    /// Somebody has taken on the call of `shutdown`.
    ShutdownCallTaken,
    /// `shutdown` has ended and is dropped.
    ShutdownCallEnded,
    /// A part beside `run` and `shutdown` was added.
    Added(Part),
    /// A task, which is about to end, has failed.
    TaskFailed,
    /// A part beside `run` and `shutdown` has ended.
    Ended(Part),
    /// The deadlines of a part that keeps its own have run out: it is stuck from now on.
    RanOut,
    /// All parts have ended, and user code is called before the end is settled.
    Closing,
    /// That has returned.
    Closed,
    /// The drain is over.
    DrainOver,
    /// The deadline of the start has passed.
    StartDue,
    /// The deadline of the stop has passed.
    StopDue,
    /// The deadline of the abort has passed.
    AbortDue,
    /// The watchdog has seen no heartbeat.
    Silent,
    /// The runtime has dropped a part that nobody had aborted.
    Lost,
    /// The policy's answer to an attempt that is over: another one follows.
    Retry,
    /// The policy's answer to an attempt that is over: it would, but the limit forbids it.
    Exhausted,
    /// The policy's answer to an attempt that is over: the cycle ends.
    Finish,
    /// The delay before the next attempt has passed.
    BackoffOver,
}

/// How `run` ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunEnd {
    /// By itself, with `Ok`.
    Ok,
    /// By itself, with an error or a panic.
    Failed,
    /// It was dropped, because it was aborted.
    Dropped,
}

/// A part of an attempt beside `run` and `shutdown`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// A task of the context.
    Task,
    /// A part that a composite drives: it keeps deadlines of its own.
    Kept,
    /// A part that `run` leaves behind when it is dropped, and that knows no deadline: a thread.
    Held,
    /// The same of `shutdown`.
    HeldByShutdown,
    /// A part that a composite drives and that is out of deadlines.
    Stuck,
}
