//! The meaning of the failure or the completion of a member for its group.

/// The reaction of a group when a member fails, that is, when its own restart policy has given up.
///
/// The three that restart do so within the group's own [`limit`](crate::GroupBuilder::limit),
/// beyond which the group fails. The affected members stop at once, in reverse order and without a
/// drain, and start in order when the group's [`backoff`](crate::GroupBuilder::backoff) is over and
/// all of them have really ended. Meanwhile a start by its handle takes a member out of the
/// restart, also one that is still on its way down, and a failure of another member merges into it
/// and does not delay it. Members that have completed or were stopped by their handles stay so,
/// except for the one that has failed.
///
/// Each failure that a member's own policy has given up on is in the group's history too, an ignored one as well.
///
/// # Examples
///
/// ```
/// # use startstop_core::OnFailure;
/// assert_eq!(OnFailure::default(), OnFailure::StopGroup);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum OnFailure {
    /// The group stops and fails with the member's failure.
    #[default]
    StopGroup,
    /// The group goes on without it; a failed start is ignored as well.
    Ignore,
    /// The member is started again; its dependents are left running.
    RestartMember,
    /// The member and all that depend on it are restarted.
    RestartDependents,
    /// All members are restarted.
    RestartAll,
}

/// The reaction of a group when a member completes.
///
/// # Examples
///
/// ```
/// # use startstop_core::OnCompletion;
/// assert_eq!(OnCompletion::default(), OnCompletion::Ignore);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum OnCompletion {
    /// The group goes on; it completes when no member is alive or pending.
    #[default]
    Ignore,
    /// The group stops and completes. A member that asks for its own stop, by
    /// [`request_stop`](crate::Context::request_stop), has completed as well.
    StopGroup,
    /// It has failed: a server that is to run until it is told to stop has left early. The failure is recorded
    /// with [`Cause::Completed`](crate::Cause::Completed), and [`OnFailure`] says what follows. A member that
    /// asks for its own stop has not failed.
    Fail,
}
