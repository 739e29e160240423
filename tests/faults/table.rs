//! The table: for each phase and each fault what is promised, and why.

use startstop_core::{Cause, Exit, Phase, State};

use Cause::{Aborted, Error, Panic, TimedOut, Unresponsive};
use Phase::Run;
use State::{Stopped, Stopping};

/// When it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum During {
    Starting,
    Running,
    Stopping,
    Backoff,
}

/// The fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Error,
    Panic,
    Hang,
    Block,
    FutureDrop,
    HandleDrop,
    ParentCancel,
    RuntimeEnd,
    PanicInDrop,
}

/// The promised outcome.
#[derive(Debug, Clone, Copy)]
pub(super) enum Then {
    /// The service ends: the state, the exit, and the failures that are recorded. A state that is not
    /// `Stopped` yet becomes it when what is stuck yields.
    Ends(State, Exit, &'static [(Phase, Cause)]),
    /// The service runs, with no failure.
    GoesOn,
    /// There is nothing to which it could happen.
    Cannot,
}

#[derive(Debug)]
pub(super) struct Cell {
    pub(super) during: During,
    pub(super) fault: Fault,
    pub(super) then: Then,
    pub(super) why: &'static str,
}

pub(super) const PHASES: [During; 4] = [
    During::Starting,
    During::Running,
    During::Stopping,
    During::Backoff,
];

/// The faults, and what is done to the service.
pub(super) const FAULTS: [(Fault, &str); 9] = [
    (Fault::Error, "`run` returns an error"),
    (Fault::Panic, "`run` panics"),
    (
        Fault::Hang,
        "`run` awaits something that never comes: readiness, a heartbeat, its end",
    ),
    (Fault::Block, "`run` blocks its thread"),
    (
        Fault::FutureDrop,
        "the future of the call that waits (`start`, `wait` or `stop`) is dropped",
    ),
    (Fault::HandleDrop, "the last clone of the runner is dropped"),
    (
        Fault::ParentCancel,
        "the token given to `start_with` is cancelled",
    ),
    (Fault::RuntimeEnd, "the runtime is dropped"),
    (
        Fault::PanicInDrop,
        "the future of `run` panics when it is dropped",
    ),
];

pub(super) const TABLE: [Cell; 36] = [
    starting(
        Fault::Error,
        Then::Ends(Stopped, Exit::Failed, &[(Run, Error)]),
        "It ended in failure before it was ready, and no policy restarts it.",
    ),
    starting(
        Fault::Panic,
        Then::Ends(Stopped, Exit::Failed, &[(Run, Panic)]),
        "A panic is a failure, with its message.",
    ),
    starting(
        Fault::Hang,
        Then::Ends(Stopped, Exit::Failed, &[(Run, TimedOut)]),
        "An attempt that is not ready within `start_timeout` is aborted as a failure.",
    ),
    starting(
        Fault::Block,
        Then::Ends(
            Stopping,
            Exit::Aborted,
            &[(Run, TimedOut), (Run, Unresponsive)],
        ),
        "A blocked thread cannot be aborted: after `abort_timeout` it is given up, until it yields.",
    ),
    starting(
        Fault::FutureDrop,
        Then::GoesOn,
        "Once polled, a start goes on to its end; nobody has to wait for it.",
    ),
    starting(
        Fault::HandleDrop,
        Then::Ends(Stopped, Exit::Stopped, &[]),
        "Nobody can use the service any more: the last clone asks for a stop.",
    ),
    starting(
        Fault::ParentCancel,
        Then::Ends(Stopped, Exit::Stopped, &[]),
        "A cancelled parent is a stop, and a stop ends a start.",
    ),
    starting(
        Fault::RuntimeEnd,
        Then::Ends(Stopped, Exit::Aborted, &[(Run, Aborted)]),
        "Nothing of the attempt runs any more, and the history says why.",
    ),
    starting(
        Fault::PanicInDrop,
        Then::Ends(Stopped, Exit::Failed, &[(Run, TimedOut), (Run, Panic)]),
        "It is dropped because it is late; what its destructor does is recorded beside that.",
    ),
    running(
        Fault::Error,
        Then::Ends(Stopped, Exit::Failed, &[(Run, Error)]),
        "An error ends the cycle, unless a policy restarts it.",
    ),
    running(
        Fault::Panic,
        Then::Ends(Stopped, Exit::Failed, &[(Run, Panic)]),
        "A panic is a failure like an error; the runner goes on.",
    ),
    running(
        Fault::Hang,
        Then::Ends(Stopped, Exit::Failed, &[(Run, Unresponsive)]),
        "The watchdog misses its heartbeat and has it aborted. Without one, nobody can tell it from work.",
    ),
    running(
        Fault::Block,
        Then::Ends(
            Stopping,
            Exit::Aborted,
            &[(Run, Unresponsive), (Run, Unresponsive)],
        ),
        "The watchdog misses it, the abort does not reach it: silent first, then given up. No second attempt is made beside it.",
    ),
    running(Fault::FutureDrop, Then::GoesOn, "Who waits only looks on."),
    running(
        Fault::HandleDrop,
        Then::Ends(Stopped, Exit::Stopped, &[]),
        "The last clone asks for a stop; `detach` says that it shall go on.",
    ),
    running(
        Fault::ParentCancel,
        Then::Ends(Stopped, Exit::Stopped, &[]),
        "A cancelled parent is a stop.",
    ),
    running(
        Fault::RuntimeEnd,
        Then::Ends(Stopped, Exit::Aborted, &[(Run, Aborted)]),
        "What the runtime has dropped does not run; who waits on another runtime is told.",
    ),
    running(
        Fault::PanicInDrop,
        Then::Ends(Stopped, Exit::Failed, &[(Run, Panic)]),
        "`run` had returned `Ok`; that its drop panics makes it a failure.",
    ),
    stopping(
        Fault::Error,
        Then::Ends(Stopped, Exit::Failed, &[(Run, Error)]),
        "A failure after the stop has begun is no clean end.",
    ),
    stopping(
        Fault::Panic,
        Then::Ends(Stopped, Exit::Failed, &[(Run, Panic)]),
        "The same holds for a panic.",
    ),
    stopping(
        Fault::Hang,
        Then::Ends(Stopped, Exit::Aborted, &[(Run, TimedOut)]),
        "At `stop_timeout` what is left is aborted.",
    ),
    stopping(
        Fault::Block,
        Then::Ends(
            Stopping,
            Exit::Aborted,
            &[(Run, TimedOut), (Run, Unresponsive)],
        ),
        "The deadline is kept outside of the blocked task: the stop returns, the state says that it still runs.",
    ),
    stopping(
        Fault::FutureDrop,
        Then::Ends(Stopped, Exit::Stopped, &[]),
        "Once polled, a stop goes on to its end.",
    ),
    stopping(
        Fault::HandleDrop,
        Then::Ends(Stopped, Exit::Stopped, &[]),
        "The stop that is under way goes on.",
    ),
    stopping(
        Fault::ParentCancel,
        Then::Ends(Stopped, Exit::Stopped, &[]),
        "It joins the stop that is under way.",
    ),
    stopping(
        Fault::RuntimeEnd,
        Then::Ends(Stopped, Exit::Aborted, &[(Run, Aborted)]),
        "It did not get to its end: it was dropped with its runtime.",
    ),
    stopping(
        Fault::PanicInDrop,
        Then::Ends(Stopped, Exit::Failed, &[(Run, Panic)]),
        "A destructor that panics makes it no clean end.",
    ),
    backoff(Fault::Error, Then::Cannot, NOTHING_RUNS),
    backoff(Fault::Panic, Then::Cannot, NOTHING_RUNS),
    backoff(Fault::Hang, Then::Cannot, NOTHING_RUNS),
    backoff(Fault::Block, Then::Cannot, NOTHING_RUNS),
    backoff(
        Fault::FutureDrop,
        Then::GoesOn,
        "A start goes on through its retries, whether somebody waits or not.",
    ),
    backoff(
        Fault::HandleDrop,
        Then::Ends(Stopped, Exit::Stopped, &[]),
        "The last clone cancels the restart; nothing runs, so it has stopped at once.",
    ),
    backoff(
        Fault::ParentCancel,
        Then::Ends(Stopped, Exit::Stopped, &[]),
        "A stop in backoff is immediate; the failure before it is in the history.",
    ),
    backoff(
        Fault::RuntimeEnd,
        Then::Ends(Stopped, Exit::Aborted, &[(Run, Aborted)]),
        "The attempt that was to come has nowhere to run.",
    ),
    backoff(Fault::PanicInDrop, Then::Cannot, NOTHING_RUNS),
];

const NOTHING_RUNS: &str = "All of the last attempt has ended and is dropped before the backoff begins, and the next one is not there yet.";

const fn starting(fault: Fault, then: Then, why: &'static str) -> Cell {
    Cell {
        during: During::Starting,
        fault,
        then,
        why,
    }
}

const fn running(fault: Fault, then: Then, why: &'static str) -> Cell {
    Cell {
        during: During::Running,
        fault,
        then,
        why,
    }
}

const fn stopping(fault: Fault, then: Then, why: &'static str) -> Cell {
    Cell {
        during: During::Stopping,
        fault,
        then,
        why,
    }
}

const fn backoff(fault: Fault, then: Then, why: &'static str) -> Cell {
    Cell {
        during: During::Backoff,
        fault,
        then,
        why,
    }
}
