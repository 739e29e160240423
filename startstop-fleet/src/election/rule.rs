//! The rules whose breach nobody would notice for months: the simulation breaks each of them and has to see it.

/// A rule of an election, or of a store for the three that are its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "stores and the simulation keep some themselves")
)]
pub(crate) enum Rule {
    /// A term is valid from before its request was sent, not from the answer.
    ValidFromTheRequest,
    /// A record is released after the service has ended, not when it is told to.
    ReleaseAfterTheEnd,
    /// A clock is compared with itself alone.
    OwnClockOnly,
    /// The validity leaves out what another clock may be faster by.
    SkewIsLeftOut,
    /// A store gives each term a greater fence.
    FenceGrows,
    /// A lost lease is not renewed, and its service is told to stop.
    LostIsLost,
    /// A call has ended when the next one is due.
    CallsEndBeforeTheNext,
    /// The record of somebody else is watched for its whole lease before it is taken.
    WatchedBeforeTaken,
    /// It is watched from the answer that showed it, not from the request.
    WatchedFromTheAnswer,
    /// A store takes only what is as it was seen.
    TakeCompares,
    /// A process whose service outlives its term exits.
    OverrunExits,
}
