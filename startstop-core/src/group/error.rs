//! The errors of groups.

use std::fmt;

use crate::report::error::{StartError, StopError};
use crate::report::failure::write_chain;
use crate::report::text::joined;

/// Why a group could not be built, changed or run. But for [`Stop`](Self::Stop), the group is as it was
/// before.
///
/// # Examples
///
/// ```
/// use startstop_core::{Group, GroupError, Member, service_fn};
///
/// let idle = || service_fn(async |cx| cx.cancelled().await);
/// let built = Group::builder("app")
///     .with("db", Member::new(idle()).after(["http"]))
///     .with("http", Member::new(idle()).after(["db"]))
///     .build();
/// let error = built.unwrap_err();
/// assert!(matches!(error, GroupError::Cycle { .. }));
/// assert_eq!(error.to_string(), "the members depend on each other: db -> http -> db");
/// ```
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum GroupError {
    /// Two members have the same name.
    #[error("there is a member {name:?} already")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A member's name is empty, or has a `/` in it, which parts the names in a path.
    #[error("{name:?} cannot be the name of a member: it is empty or has a `/` in it")]
    InvalidName {
        /// The name.
        name: String,
    },
    /// A member is to start after one that does not exist, or that leaves the group when it has ended.
    #[error(
        "member {member:?} is to start after {dependency:?}, which does not exist, or leaves the group when it has ended"
    )]
    UnknownDependency {
        /// The member.
        member: String,
        /// The name that it is to start after.
        dependency: String,
    },
    /// Members depend on each other in a circle, or a group is inserted into itself.
    #[error("the members depend on each other: {}", joined(path, " -> "))]
    Cycle {
        /// The members in order, each after the next, or each made of the next; the first is repeated at the end.
        path: Vec<String>,
    },
    /// There is no member of that name.
    #[error("there is no member {name:?}")]
    UnknownMember {
        /// The name.
        name: String,
    },
    /// The member cannot be removed while others depend on it.
    #[error(
        "member {name:?} cannot be removed: {} {} on it",
        joined(dependents, ", "),
        if dependents.len() == 1 { "depends" } else { "depend" }
    )]
    HasDependents {
        /// The member.
        name: String,
        /// Those that depend on it.
        dependents: Vec<String>,
    },
    /// The group stops.
    #[error("the group stops")]
    Stopping,
    /// The group runs already: a clone of it was given to another runner, which drives it.
    #[error("the group runs already, driven by another runner")]
    AlreadyRuns,
    /// The inserted member did not start, and was removed again.
    #[error("the member did not start")]
    Start(#[source] StartError),
    /// The removed member did not stop well. It is removed nevertheless; the group does not end before one that
    /// does not yield has ended.
    #[error("the member did not stop well")]
    Stop(#[source] StopError),
}

impl fmt::Debug for GroupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_chain(self, f)
    }
}

/// The error of a member that was not started, since a dependency ended without being ready, or since a member that it is
/// bound to has failed for good.
///
/// # Examples
///
/// ```
/// use startstop_core::{DependencyFailed, Group, Member, OnFailure, Runner, once, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let migrate = once(async |_cx| Err::<(), _>("no such table"));
/// let app = Group::builder("app")
///     .with("migrate", Member::new(migrate).on_failure(OnFailure::Ignore))
///     .then("http", service_fn(async |cx| cx.cancelled().await))
///     .build()
///     .unwrap();
/// let app = Runner::new(app);
/// app.start().await.unwrap_err();
///
/// let http = app.service().get("http").unwrap();
/// let failure = http.errors_last().unwrap();
/// let error = failure.error().downcast_ref::<DependencyFailed>().unwrap();
/// assert_eq!(error.dependency(), "migrate");
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not started: {dependency:?}, which it depends on, is not ready and will not be")]
pub struct DependencyFailed {
    pub(super) dependency: String,
}

impl DependencyFailed {
    /// Returns the name of the dependency.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{DependencyFailed, Group, Member, OnFailure, Runner, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let db = Member::new(once(async |_cx| Err::<(), _>("refused"))).on_failure(OnFailure::Ignore);
    /// let app = Group::builder("app").with("db", db).then("http", once(async |_cx| ()));
    /// let app = Runner::new(app.build().unwrap());
    /// app.start().await.unwrap_err();
    ///
    /// let failure = app.service().get("http").unwrap().errors_last().unwrap();
    /// let failed = failure.error().downcast_ref::<DependencyFailed>().unwrap();
    /// assert_eq!(failed.dependency(), "db");
    /// # }
    /// ```
    pub fn dependency(&self) -> &str {
        &self.dependency
    }
}
