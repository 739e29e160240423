//! The fields of the life of a service, beside its state.

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
    /// The parts that are left are dropped at their next await point.
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
    /// The look of the driver at the end of an attempt that is over.
    Settle,
}

/// The stage of `run` in this attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Run {
    /// Not entered yet, or ended.
    #[default]
    Out,
    /// Entered, and not ended.
    Alive(JobTasks),
    /// The `run` of a job has returned `Ok`, and its tasks go on.
    Returned(JobTasks),
}

impl Run {
    /// The same once the end of the attempt is decided.
    pub(super) fn decided(self) -> Self {
        match self {
            Self::Alive(_) => Self::Alive(JobTasks::Sound),
            Self::Out | Self::Returned(_) => Self::Out,
        }
    }

    /// The same with a task that has failed.
    pub(super) fn flawed(self) -> Self {
        match self {
            Self::Alive(_) => Self::Alive(JobTasks::Flawed),
            Self::Returned(_) => Self::Returned(JobTasks::Flawed),
            Self::Out => Self::Out,
        }
    }
}

/// The outcome of the tasks of a job so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum JobTasks {
    #[default]
    Sound,
    /// One has failed.
    Flawed,
}

/// The request that is open in this cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Requested {
    /// Nothing that is open.
    #[default]
    None,
    /// A start, which is pending.
    Start,
    /// A stop: no policy is asked.
    Stop,
    /// A stop of this cycle, and a start of another, which is pending.
    Restart,
}

impl Requested {
    /// The same with a stop of this cycle.
    pub(super) fn and_stop(self) -> Self {
        if self == Self::Restart {
            self
        } else {
            Self::Stop
        }
    }

    /// The same without a start that is pending.
    pub(super) fn without_start(self) -> Self {
        match self {
            Self::None | Self::Start => Self::None,
            Self::Stop | Self::Restart => Self::Stop,
        }
    }
}

/// Why a stop has aborted something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Abort {
    /// It has not.
    #[default]
    None,
    /// An abort was asked for, not a graceful stop.
    Immediate,
    /// The deadline of the stop had passed.
    Overdue,
}

/// User code that belongs to the end of the attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum UserCode {
    #[default]
    Idle,
    /// It is being called.
    Called,
}
