//! What the failure or the completion of a member means for its group.

/// What happens when a member fails, that is, when its own restart policy has given up.
///
/// The three that restart do so within the group's own limit, beyond which the group fails. What is
/// affected stops in reverse order and starts in order; what has completed or was stopped by its handle
/// stays so, unless it is the member that has failed.
///
/// # Examples
///
/// ```
/// use startstop_core::{Group, Member, OnFailure, service_fn};
///
/// let idle = || service_fn(async |cx| cx.cancelled().await);
/// let app = Group::builder("app")
///     .with("db", idle())
///     .then("http", Member::new(idle()).on_failure(OnFailure::RestartDependents))
///     .build()
///     .unwrap();
/// # drop(app);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum OnFailure {
    /// The group stops and fails with the member's failure.
    #[default]
    StopGroup,
    /// The group goes on without it; a failed start is ignored as well.
    Ignore,
    /// The member is started again; what depends on it is left running.
    RestartMember,
    /// The member and all that depend on it are restarted.
    RestartDependents,
    /// All members are restarted.
    RestartAll,
}

/// What happens when a member completes.
///
/// # Examples
///
/// ```
/// use startstop_core::{Group, Member, OnCompletion, once, service_fn};
///
/// let app = Group::builder("app")
///     .with("helper", service_fn(async |cx| cx.cancelled().await))
///     .with("work", Member::new(once(async |_cx| ())).on_completion(OnCompletion::StopGroup))
///     .build()
///     .unwrap();
/// # drop(app);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum OnCompletion {
    /// The group goes on; it completes when no member is alive or pending.
    #[default]
    Ignore,
    /// The group stops and completes.
    StopGroup,
}
