//! The terms of the stop of an attempt, and the record of one that is late.

/// How long the stop of an attempt may take, and who sees to that.
#[derive(Default)]
pub(super) struct StopTerms {
    /// The deadline is kept by the owner that has told this service to stop.
    pub(super) left_to_owner: bool,
    /// Each request for the stop has said how long it may take.
    pub(super) limited: bool,
    /// The owner that has told this service to stop goes down as well, or parts with it: no cycle follows.
    pub(super) for_good: bool,
}

/// The record of an attempt of an owner that is late.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum LateRecord {
    #[default]
    None,
    /// The start has failed, and is being rolled back: it is not late any more.
    StartOver,
    /// The members that were late in the stop.
    Stop,
}
