//! A table: which part blocks, at which deadline, on which runtime, and the promise for that.

/// The part that blocks its thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blocks {
    FirstPoll,
    LaterPoll,
    Shutdown,
    Task,
    DropOfRun,
    DropOfTask,
    DropOfValue,
    Predicate,
    Children,
}

/// The deadline that comes meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Start,
    Drain,
    Stop,
    Abort,
    Watchdog,
}

/// The runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    TwoWorkers,
    /// With tasks beside the service that wake up all the time.
    FourWorkers,
    OneWorker,
    CurrentThread,
}

/// The outcome that is seen in time, on a thread outside of the runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// The service is given up: what blocks belongs to it.
    GivenUp,
    /// The service has ended: what blocks does not belong to it.
    Ended,
    Cannot,
}

pub(super) const BLOCKS: [(Blocks, &str); 9] = [
    (Blocks::FirstPoll, "the first poll of `run`"),
    (
        Blocks::LaterPoll,
        "a later poll of `run`, after a timer of its own",
    ),
    (Blocks::Shutdown, "`shutdown`"),
    (
        Blocks::Task,
        "a task of the context, after a timer of its own",
    ),
    (Blocks::DropOfRun, "the destructor of the future of `run`"),
    (Blocks::DropOfTask, "the destructor of a task"),
    (
        Blocks::DropOfValue,
        "the destructor of the value of a `Slot`",
    ),
    (Blocks::Predicate, "the predicate of `retry_if`"),
    (
        Blocks::Children,
        "`children()`, asked for by a task that has nothing to do with the service",
    ),
];

pub(super) const DUE: [(Due, &str); 5] = [
    (Due::Start, "start timeout"),
    (Due::Drain, "drain"),
    (Due::Stop, "stop timeout"),
    (Due::Abort, "abort"),
    (Due::Watchdog, "watchdog"),
];

/// The promise.
pub(super) fn then(blocks: Blocks, due: Due, on: On) -> Then {
    let is_alone = matches!(on, On::OneWorker | On::CurrentThread);
    match (blocks, due) {
        // An abort calls no `shutdown`, and a service that fills a slot is ready.
        (Blocks::Shutdown, Due::Abort) | (Blocks::DropOfValue, Due::Start) => Then::Cannot,
        (Blocks::Children, _) if !is_alone => Then::Ended,
        _ => Then::GivenUp,
    }
}
