//! The next step of the driver, and the answers that it brings.

use super::Ending;
use crate::report::failure::Failure;
use crate::settings::restart_policy::RetryIf;

/// The next step of the driver.
pub(crate) enum DriverStep {
    /// It calls `run`: this is the attempt with this number.
    Run(u64),
    /// It gives the runtime one turn and then calls `run`. What the change that entered the attempt has woken
    /// or spawned, such as the caller of `start` or a deadline task, may be the task that this worker polls next,
    /// which no other worker can take; and `run` may block this one.
    RunSoon(u64),
    /// It waits for what is left of the attempt.
    Wait,
    /// It calls `shutdown` in the attempt with this number: it has taken that on.
    ShutdownCall(u64),
    /// It does what is to be done at the end of the attempt, which may fail, before that is settled.
    Close(Vec<Ending>),
    /// It asks the policy's own predicate about the failure that ended the attempt.
    AskPolicy(RetryIf, Failure),
    /// It settles the attempt that is over, and lets go of the service if nothing follows.
    Settle,
    /// It waits until the time of the next attempt, or just a turn of the runtime if that has come.
    Pause(Option<u64>),
    /// It ends.
    Leave,
}

/// The answer of the predicate of the policy to a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryAnswer {
    /// Another attempt may help.
    Retry,
    /// The cycle ends.
    End,
}
