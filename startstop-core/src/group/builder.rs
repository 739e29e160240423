//! Building a group: names and edges first, then one check of all of it.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::error::GroupError;
use super::member::{IntoMember, Member};
use super::table::{Table, edges_of};
use super::{Group, GroupShared};
use crate::report::path::is_name;
use crate::report::shared_name::SharedName;
use crate::rules::graph::{Edges, Id, find_cycle};
use crate::settings::Settings;
use crate::settings::restart_policy::Backoff;

/// Collects the members of a [`Group`].
///
/// # Examples
///
/// ```
/// use startstop_core::{Group, GroupBuilder, once};
///
/// let builder: GroupBuilder = Group::builder("app").with("db", once(async |_cx| ()));
/// assert_eq!(builder.build().unwrap().members(), ["db"]);
/// ```
#[must_use = "a group is built by `build`"]
pub struct GroupBuilder {
    settings: Settings,
    limit: Option<(u32, Duration)>,
    backoff: Backoff,
    members: Vec<Planned>,
}

struct Planned {
    name: SharedName,
    member: Member,
    /// It starts after all that were added before it.
    after_all: bool,
}

/// The members that a member starts after.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    /// Those that it names.
    Named,
    /// All that were added before it.
    All,
}

impl GroupBuilder {
    pub(super) fn new(name: SharedName) -> Self {
        Self {
            settings: Settings::new().named(name),
            limit: Some((10, Duration::from_secs(600))),
            backoff: Backoff::default(),
            members: Vec::new(),
        }
    }

    /// Adds a member that depends on nothing but what its
    /// [`after`](Member::after) says: it starts at once, beside the others.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Group, Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let app = Group::builder("app")
    ///     .with("cache", service_fn(async |cx| cx.cancelled().await))
    ///     .with("queue", service_fn(async |cx| cx.cancelled().await)); // both start at once
    /// let app = Runner::new(app.build().unwrap());
    /// app.start().await.unwrap();
    /// assert_eq!(app.status().children().len(), 2);
    /// # app.stop().await.unwrap();
    /// # }
    /// ```
    pub fn with(mut self, name: impl Into<String>, member: impl IntoMember) -> Self {
        self.add(name.into().into(), member.into_member(), After::Named);
        self
    }

    /// Adds a member that starts after everything that was added before it.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Group, Runner, Slot, service_fn_with};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let pool = Slot::new();
    /// let db = service_fn_with(pool.clone(), async |pool, cx| {
    ///     pool.fill(&cx, "connections");
    ///     cx.cancelled().await
    /// });
    /// let http = service_fn_with(pool.clone(), async |pool, cx| {
    ///     assert_eq!(*pool.wait(&cx).await.unwrap(), "connections");
    ///     cx.cancelled().await
    /// });
    /// let app = Runner::new(Group::builder("app").with("db", db).then("http", http).build().unwrap());
    /// app.start().await.unwrap();
    /// # tokio::task::yield_now().await;
    /// app.stop().await.unwrap(); // `http` first
    /// assert!(app.errors_list().is_empty());
    /// # }
    /// ```
    pub fn then(mut self, name: impl Into<String>, member: impl IntoMember) -> Self {
        self.add(name.into().into(), member.into_member(), After::All);
        self
    }

    /// Like [`with`](Self::with), of a name that is not allocated.
    pub(crate) fn with_static(mut self, name: &'static str, member: Member) -> Self {
        self.add(SharedName::Static(name), member, After::Named);
        self
    }

    fn add(&mut self, name: SharedName, member: Member, after: After) {
        let after_all = after == After::All && !self.members.is_empty();
        self.members.push(Planned {
            name,
            member,
            after_all,
        });
    }

    /// Sets the group's own settings. A name in them replaces the one that was given to [`Group::builder`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Group, Runner, Settings};
    ///
    /// let app = Group::builder("app").settings(Settings::new().name("shop")).build().unwrap();
    /// assert_eq!(Runner::new(app).name(), "shop");
    /// ```
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings.or(self.settings);
        self
    }

    /// Allows at most `max` restarts of members within any `window`, beyond which the group fails.
    /// Default: 10 in 10 minutes. The members' own restart policies have limits of their own.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Group, Member, OnFailure, Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let broken = Member::new(service_fn(async |_cx| Err::<(), _>("no such file")));
    /// let broken = broken.on_failure(OnFailure::RestartMember);
    /// let app = Group::builder("app").with("broken", broken).limit(2, Duration::from_secs(60));
    /// let app = Runner::new(app.build().unwrap());
    /// app.request_start();
    /// app.wait().await;
    /// let text = app.errors_last().unwrap().to_string();
    /// assert!(app.status().children()[0].attempts() == 3, "the first and two restarts: {text}");
    /// # }
    /// ```
    pub fn limit(mut self, max: u32, window: Duration) -> Self {
        self.limit = Some((max, window));
        self
    }

    /// Sets the delays before members that the group restarts come up again, counted from the failure. They grow with each
    /// restart and begin anew once the group has been ready for 60 s. Default: the backoff of
    /// [`RestartPolicy`](crate::RestartPolicy), from 100 ms up to 30 s.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Backoff, Context, Group, Member, OnFailure, Runner, service_fn};
    /// use tokio::time::{Instant, sleep};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let db = service_fn(async |cx: Context| {
    ///     if cx.cycle() == 1 {
    ///         return Err("connection lost");
    ///     }
    ///     cx.cancelled().await;
    ///     Ok(())
    /// });
    /// let app = Group::builder("app")
    ///     .backoff(Backoff::constant(Duration::from_secs(5)))
    ///     .with("db", Member::new(db).on_failure(OnFailure::RestartMember))
    ///     .build()?;
    /// let app = Runner::new(app);
    /// let begun = Instant::now();
    /// app.start().await?;
    /// let db = app.service().get("db").unwrap();
    /// while db.status().cycles() < 2 {
    ///     sleep(Duration::from_millis(1)).await;
    /// }
    /// assert_eq!(begun.elapsed().as_secs(), 5);
    /// # app.stop().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Checks the graph and builds the group.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Group, GroupError, Member, once};
    ///
    /// let db = Member::new(once(async |_cx| ())).after(["cache"]);
    /// let app = Group::builder("app").with("db", db).build();
    /// assert!(matches!(app, Err(GroupError::UnknownDependency { .. })));
    /// ```
    ///
    /// # Errors
    ///
    /// - [`DuplicateName`](GroupError::DuplicateName): two members have the same name.
    /// - [`InvalidName`](GroupError::InvalidName): a name is empty or has a `/` in it.
    /// - [`UnknownDependency`](GroupError::UnknownDependency): a member is to start after a member that does not exist, or
    ///   that leaves the group when it has ended.
    /// - [`Cycle`](GroupError::Cycle): members depend on each other.
    pub fn build(self) -> Result<Group, GroupError> {
        let ids = self.ids()?;
        let edges = self.edges(&ids)?;
        if let Some(cycle) = find_cycle(&edges) {
            let names: HashMap<Id, &str> = ids.iter().map(|(name, id)| (*id, &**name)).collect();
            let path = cycle
                .iter()
                .filter_map(|id| names.get(id).map(|name| (*name).to_owned()));
            return Err(GroupError::Cycle {
                path: closed(path.collect()),
            });
        }
        let mut table = Table::named(ids, edges.len());
        for planned in self.members {
            if planned.after_all {
                table.add_barrier();
            }
            let member = planned.member.prepare(planned.name.clone());
            table.add_named(planned.name, member);
        }
        table.plan.connect(edges);
        let Self {
            settings,
            limit,
            backoff,
            ..
        } = self;
        let shared = GroupShared {
            settings,
            limit,
            backoff,
            change_queue: Arc::default(),
            table: table.into(),
        };
        Ok(Group {
            shared: Arc::new(shared),
        })
    }

    /// Returns the ids of the members; before one that starts after all others comes a barrier.
    fn ids(&self) -> Result<HashMap<SharedName, Id>, GroupError> {
        let mut ids = HashMap::with_capacity(self.members.len());
        let mut next = 0;
        for planned in &self.members {
            next += usize::from(planned.after_all);
            check_name(&planned.name)?;
            if ids.insert(planned.name.clone(), Id(next)).is_some() {
                let name = planned.name.to_string();
                return Err(GroupError::DuplicateName { name });
            }
            next += 1;
        }
        Ok(ids)
    }

    fn edges(&self, ids: &HashMap<SharedName, Id>) -> Result<Vec<Edges>, GroupError> {
        let mut all: Vec<Edges> = Vec::with_capacity(self.members.len());
        let leave = self
            .members
            .iter()
            .filter(|planned| planned.member.is_transient());
        let leave: HashSet<&str> = leave.map(|planned| &*planned.name).collect();
        // The barrier before, and what was added since.
        let mut since: Vec<Id> = Vec::new();
        for planned in &self.members {
            let id_of = |name: &str| ids.get(name).copied().filter(|_| !leave.contains(name));
            let mut edges = edges_of(&planned.name, planned.member.needs(), id_of)?;
            if planned.after_all {
                let barrier = Id(all.len());
                let deps = std::mem::replace(&mut since, vec![barrier]);
                all.push(Edges {
                    deps,
                    bound: Vec::new(),
                });
                edges.deps.push(barrier);
                edges.deps.sort_unstable();
            }
            if !planned.member.is_transient() {
                since.push(Id(all.len()));
            }
            all.push(edges);
        }
        Ok(all)
    }
}

/// A path whose first name is repeated at the end, also where it began at a barrier.
pub(super) fn closed(mut path: Vec<String>) -> Vec<String> {
    if path.first() != path.last() || path.len() == 1 {
        path.extend(path.first().cloned());
    }
    path
}

/// Returns whether a member can bear this name: a path is made of names.
pub(super) fn check_name(name: &str) -> Result<(), GroupError> {
    if !is_name(name) {
        return Err(GroupError::InvalidName {
            name: name.to_owned(),
        });
    }
    Ok(())
}

impl fmt::Debug for GroupBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.members.iter().map(|planned| &*planned.name).collect();
        f.debug_struct("GroupBuilder")
            .field("members", &names)
            .finish_non_exhaustive()
    }
}
