//! Groups: many services as one, started in order of their dependencies and stopped in reverse.
//!
//! The group's own task supervises: members tell it by a change queue when their state has changed, it asks
//! the [`plan`](crate::rules::plan) what follows, and asks the members for it. Nobody else starts or stops members but
//! those who hold their handles.
//!
//! [`builder`] fills the [`table`] of the members and checks their [`graph`](crate::rules::graph); [`change`] adds to it and takes off;
//! [`supervisor`] is what runs.

mod error;
mod member;
mod table;
mod builder;
mod change_queue;
mod change;
mod supervisor;
pub(crate) mod composite;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::engine::grace::{self, Named};
use crate::engine::{Identity, Node};
use crate::report::panic::BoxError;
use crate::report::state::Readiness;
use crate::report::status::Status;
use crate::rules::graph::Id;
use crate::runner::StartStop;
use crate::runner::snapshot;
use crate::service::context::Context;
use crate::service::{EachPart, Owner, Parts, Service, Spans};
use crate::settings::Settings;
use crate::settings::restart_policy::Backoff;
use crate::sync::{Mutex, MutexGuard};

pub use crate::settings::member_policy::{OnCompletion, OnFailure};
pub use builder::GroupBuilder;
pub use error::{DependencyFailed, GroupError};
pub use member::{IntoMember, Member};

use change_queue::ChangeQueue;
use table::{Table, TableEntry};

/// Many services as one: started in order of their dependencies, stopped in reverse, restarted as the policy of each member
/// says.
///
/// Use a group for services that start after each other, fail together, or stop in order. For services that have nothing to
/// do with each other, a list of `Arc<dyn` [`StartStop`]`>` is enough; for a struct whose fields are the members, use
/// `#[derive(Service)]`.
///
/// A group is a [`Service`]: put it into a [`Runner`](crate::Runner). Clones are handles of the same
/// group, which runs under one runner at a time: another one fails with [`GroupError::AlreadyRuns`].
///
/// Its `start()` resolves when every member has been ready once or is settled, that is, has
/// completed, has failed and is ignored, or was stopped by hand. Its `is_ready()` describes the
/// present: it is true while every member is ready or settled, and false while a member waits for
/// its next attempt, is being restarted, drains, or has taken its readiness back. A member that was
/// inserted counts once it has been ready.
///
/// It ends when no member is alive or to be started: it has completed if at least one member has, and has failed
/// with the last failure if all that have ended have failed, ignored ones too. Members that were stopped by hand
/// count for neither: a group with no others, or with none at all, runs on. Such a member leaves those that depend
/// on it alone, but for those [bound to](Member::bound_to) it, and may be started again.
///
/// # Stopping
///
/// All members [drain](Settings::drain) together: for the time that is set for the group, or else for the longest that is set
/// for a member. Those that are up go on meanwhile, those on their way up are stopped, and the drain ends early when all
/// have ended. Then a member is told to stop when everything that depends on it has ended. A start that it, or its handle, asks
/// for from then on until it has ended comes too late ([`StartError::Stopped`](crate::StartError::Stopped)).
///
/// Without a [`stop_timeout`](Settings::stop_timeout) of the group each member has its own. With one, or with
/// [`stop_within`](crate::Runner::stop_within), the time is shared out along the longest path of members that are left, in
/// proportion to their own `stop_timeout` and `abort_timeout`; what one leaves over goes to those after it. A member is aborted
/// after its own time or its share, whichever is shorter, and when its share is over those behind it have their turn: one
/// that hangs takes nothing from them. [`grace_period`](crate::Runner::grace_period) says how long a stop can take in all.
///
/// If the group is not ready within its own [`start_timeout`](Settings::start_timeout), what has started is stopped in reverse
/// order, each member within its own time, and the group fails: the [failure](crate::Interruption::MembersNotReady) names
/// each member that was not ready, and what it waited for.
///
/// ```
/// use std::time::Duration;
/// use startstop_core::{Group, Interruption, Runner, Settings, StopError, service_fn};
/// use tokio::time::Instant;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let db = service_fn(async |cx| cx.cancelled().await).on_shutdown(async |_cx| println!("flushed"));
/// let app = Group::builder("app")
///     .settings(Settings::new().drain(Duration::from_secs(2)).stop_timeout(Duration::from_secs(4)))
///     .with("db", db)
///     .then("http", service_fn(async |_cx| std::future::pending::<()>().await)) // hangs
///     .build()
///     .unwrap();
/// let app = Runner::new(app);
/// app.start().await.unwrap();
///
/// let begun = Instant::now();
/// let error = app.stop().await.unwrap_err(); // http has its share, then db is told and flushes
/// assert!(matches!(error, StopError::Failed(_)));
/// assert!(begun.elapsed() < Duration::from_secs(2 + 4));
/// # }
/// ```
///
/// # Examples
///
/// ```
/// use startstop_core::{Group, Runner, once, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let app = Group::builder("app")
///     .with("db", service_fn(async |cx| cx.cancelled().await))
///     .then("migrate", once(async |_cx| println!("creating tables")))
///     .then("http", service_fn(async |cx| cx.cancelled().await))
///     .build()?;
/// let app = Runner::new(app);
///
/// app.start().await?; // db, then migrate, then http
/// assert!(app.service().get("http").unwrap().is_running());
/// app.stop().await?; // http, then db
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Group {
    shared: Arc<GroupShared>,
}

/// The part of a group that its handles share.
struct GroupShared {
    settings: Settings,
    limit: Option<(u32, Duration)>,
    backoff: Backoff,
    change_queue: Arc<ChangeQueue>,
    /// Its lock comes before that of a member's engine and that of the change queue.
    table: Mutex<Table>,
}

impl Group {
    /// Begins a group of this name.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Group, Runner};
    ///
    /// let app = Runner::new(Group::builder("app").build().unwrap());
    /// assert_eq!(app.name(), "app");
    /// ```
    pub fn builder(name: impl Into<Cow<'static, str>>) -> GroupBuilder {
        GroupBuilder::new(name.into().into())
    }

    /// Returns the runner of a member.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Group, Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let app = Group::builder("app").with("db", service_fn(async |cx| cx.cancelled().await));
    /// let app = Runner::new(app.build().unwrap());
    /// app.start().await.unwrap();
    /// let db = app.service().get("db").unwrap();
    /// assert!(db.is_running());
    /// assert!(app.service().get("cache").is_none());
    /// # app.stop().await.unwrap();
    /// # }
    /// ```
    pub fn get(&self, name: &str) -> Option<Arc<dyn StartStop>> {
        let table = self.shared.table();
        let id = table.ids.get(name)?;
        let runner = table.entry(*id).part.runner.clone();
        drop(table);
        Some(Arc::new(runner))
    }

    /// Returns the names of the members, in the order in which they were added.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Group, once};
    ///
    /// let app = Group::builder("app").with("db", once(async |_cx| ())).with("http", once(async |_cx| ()));
    /// assert_eq!(app.build().unwrap().members(), ["db", "http"]);
    /// ```
    pub fn members(&self) -> Vec<String> {
        let table = self.shared.table();
        table
            .as_added()
            .map(|entry| entry.name.to_string())
            .collect()
    }

    /// Returns the statuses of the members as a tree, under a line for the group itself, as the runner that runs the group,
    /// or ran it last, shows it.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Group, service_fn};
    ///
    /// let group = Group::builder("app")
    ///     .with("db", service_fn(async |cx| cx.cancelled().await))
    ///     .build()
    ///     .unwrap();
    /// let status = group.status();
    /// assert_eq!(status.name(), "app");
    /// assert_eq!(status.children()[0].name(), "db");
    /// ```
    pub fn status(&self) -> Status {
        let observed = self
            .shared
            .change_queue
            .group()
            .and_then(|node| node.upgrade());
        match observed {
            Some(node) => snapshot::status(&*node),
            None => {
                let name = self.shared.settings.get_name().unwrap_or_default();
                Status::of_stopped(name, self.children())
            }
        }
    }
}

impl Group {
    /// Returns how long the members may take to stop; with the longest of their drains, unless the group has this one.
    pub(crate) fn grace_after(&self, drain: Option<Duration>) -> Duration {
        let parts = grace::spans(self.__parts().0);
        let drains = parts.iter().map(|(_, part)| part.drain).max();
        let drain = drains.filter(|_| drain.is_none()).unwrap_or_default();
        drain.saturating_add(self.shared.longest_path(&parts))
    }
}

/// A group is explicitly ready, and has `MAX` start and stop timeouts, since each member has its own.
impl Service for Group {
    type Error = BoxError;

    fn run(&self, cx: Context) -> impl Future<Output = Result<(), BoxError>> + Send {
        supervisor::run(&self.shared, cx)
    }

    fn settings(&self) -> Settings {
        with_defaults(self.shared.settings.clone())
    }

    fn children(&self) -> Vec<Status> {
        snapshot::statuses(self.__parts())
    }

    /// Returns the sum of the members' times along the longest path, after the drain of the group; with the longest drain of
    /// its members where the group has none of its own.
    fn grace(&self) -> Option<Duration> {
        Some(self.grace_after(self.shared.settings.get_drain()))
    }

    fn __grace(&self, parts: Spans<'_>) -> Option<Duration> {
        Some(self.shared.longest_path(parts.0))
    }

    fn __is_owner(&self) -> bool {
        true
    }

    fn __parts(&self) -> Parts {
        let table = self.shared.table();
        let part = |entry: &TableEntry| (entry.name.clone(), Arc::clone(entry.part.node()));
        Parts(table.as_added().map(part).collect())
    }

    fn __each_part(&self, visit: EachPart<'_>) {
        let table = self.shared.table();
        table
            .as_added()
            .for_each(|entry| visit.0(entry.part.node()));
    }

    fn __identity(&self) -> Option<Identity> {
        Some(Identity(Arc::as_ptr(&self.shared).addr()))
    }

    fn __bind(&self, owner: Owner) {
        self.shared.change_queue.bind(owner.0);
    }
}

/// Settings with the defaults of a group.
pub(crate) fn with_defaults(settings: Settings) -> Settings {
    let defaults = Settings::new()
        .readiness(Readiness::Explicit)
        .start_timeout(Duration::MAX)
        .stop_timeout(Duration::MAX);
    settings.or(defaults)
}

impl GroupShared {
    /// Returns the runner that runs the group, or is to.
    fn owner(&self) -> Option<Arc<dyn Node>> {
        self.change_queue.group()?.upgrade()
    }

    /// Returns how long these parts take to stop along the longest path.
    fn longest_path(&self, parts: &[Named]) -> Duration {
        let table = self.table();
        let times = parts
            .iter()
            .filter_map(|(name, part)| Some((*table.ids.get(name)?, part.stop)));
        let times: HashMap<Id, Duration> = times.collect();
        table
            .plan
            .longest_path(|id| times.get(&id).copied().unwrap_or_default())
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group")
            .field("name", &self.shared.settings.get_name())
            .field("members", &self.members())
            .finish()
    }
}
