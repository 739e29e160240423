//! Building a group: names and edges first, then one check of all of it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::error::GroupError;
use super::member::{IntoMember, Member};
use super::table::{Table, ids_of};
use super::{Group, Shared};
use crate::rules::graph::{Id, find_cycle};
use crate::settings::Settings;

/// Collects the members of a [`Group`].
///
/// # Examples
///
/// See [`Group`].
#[must_use = "a group is built by `build`"]
pub struct GroupBuilder {
    settings: Settings,
    limit: Option<(u32, Duration)>,
    members: Vec<Planned>,
}

struct Planned {
    name: Cow<'static, str>,
    member: Member,
    /// It starts after all that were added before it.
    after_all: bool,
}

/// What a member starts after.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    /// What it names.
    Named,
    /// All that were added before it.
    All,
}

impl GroupBuilder {
    pub(super) fn new(name: Cow<'static, str>) -> Self {
        Self {
            settings: Settings::new().name(name),
            limit: Some((10, Duration::from_secs(600))),
            members: Vec::new(),
        }
    }

    /// Adds a member that depends on nothing but what its
    /// [`after`](Member::after) says: it starts at once, beside the others.
    ///
    /// # Examples
    ///
    /// See [`Group`].
    pub fn with(mut self, name: impl Into<String>, member: impl IntoMember) -> Self {
        self.add(name.into().into(), member.into_member(), After::Named);
        self
    }

    /// Adds a member that starts after everything that was added before it.
    ///
    /// # Examples
    ///
    /// See [`Group`].
    pub fn then(mut self, name: impl Into<String>, member: impl IntoMember) -> Self {
        self.add(name.into().into(), member.into_member(), After::All);
        self
    }

    /// Like [`with`](Self::with), of a name that is not allocated.
    pub(crate) fn with_static(mut self, name: &'static str, member: Member) -> Self {
        self.add(name.into(), member, After::Named);
        self
    }

    fn add(&mut self, name: Cow<'static, str>, member: Member, after: After) {
        let after_all = after == After::All && !self.members.is_empty();
        self.members.push(Planned { name, member, after_all });
    }

    /// Sets the group's own settings. The name that they give comes before that of
    /// [`Group::builder`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Group, Settings};
    ///
    /// let app = Group::builder("app")
    ///     .settings(Settings::new().stop_timeout(Duration::from_secs(30)))
    ///     .build()
    ///     .unwrap();
    /// # drop(app);
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
    /// use startstop_core::Group;
    ///
    /// let app = Group::builder("app").limit(3, Duration::from_secs(60)).build().unwrap();
    /// # drop(app);
    /// ```
    pub fn limit(mut self, max: u32, window: Duration) -> Self {
        self.limit = Some((max, window));
        self
    }

    /// Checks the graph and builds the group.
    ///
    /// # Examples
    ///
    /// See [`Group`].
    ///
    /// # Errors
    ///
    /// - [`DuplicateName`](GroupError::DuplicateName): two members have the same name.
    /// - [`UnknownDependency`](GroupError::UnknownDependency): a member is to start after one that does not exist.
    /// - [`Cycle`](GroupError::Cycle): members depend on each other.
    pub fn build(self) -> Result<Group, GroupError> {
        let ids = self.ids()?;
        let deps = self.deps(&ids)?;
        if let Some(cycle) = find_cycle(&deps) {
            let names: HashMap<Id, &str> = ids.iter().map(|(name, id)| (*id, *name)).collect();
            let path = cycle.iter().filter_map(|id| names.get(id).map(|name| (*name).to_owned()));
            return Err(GroupError::Cycle { path: closed(path.collect()) });
        }
        let mut table = Table::default();
        // Without edges at first: a member may come after one that is added later.
        for planned in self.members {
            if planned.after_all {
                table.add_barrier();
            }
            let member = planned.member.prepare(&planned.name);
            table.add(planned.name, member, Vec::new());
        }
        table.board.connect(deps);
        let (settings, limit) = (self.settings, self.limit);
        let shared = Shared { settings, limit, mailbox: Arc::default(), table: table.into() };
        Ok(Group { shared: Arc::new(shared) })
    }

    /// The ids of the members; before one that starts after all others comes a barrier.
    fn ids(&self) -> Result<HashMap<&str, Id>, GroupError> {
        let mut ids = HashMap::with_capacity(self.members.len());
        let mut next = 0;
        for planned in &self.members {
            next += usize::from(planned.after_all);
            if ids.insert(&*planned.name, Id(next)).is_some() {
                let name = planned.name.clone().into_owned();
                return Err(GroupError::DuplicateName { name });
            }
            next += 1;
        }
        Ok(ids)
    }

    fn deps(&self, ids: &HashMap<&str, Id>) -> Result<Vec<Vec<Id>>, GroupError> {
        let mut all: Vec<Vec<Id>> = Vec::with_capacity(self.members.len());
        // The barrier before, and what was added since.
        let mut since: Vec<Id> = Vec::new();
        for planned in &self.members {
            let id_of = |name: &str| ids.get(name).copied();
            let mut deps = ids_of(&planned.name, &planned.member.after, id_of)?;
            if planned.after_all {
                let barrier = Id(all.len());
                all.push(std::mem::replace(&mut since, vec![barrier]));
                deps.push(barrier);
                deps.sort_unstable();
            }
            since.push(Id(all.len()));
            all.push(deps);
        }
        Ok(all)
    }
}

/// A path whose first name is repeated at the end, also where it began at a barrier.
fn closed(mut path: Vec<String>) -> Vec<String> {
    if path.first() != path.last() || path.len() == 1 {
        path.extend(path.first().cloned());
    }
    path
}

impl fmt::Debug for GroupBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.members.iter().map(|planned| &*planned.name).collect();
        f.debug_struct("GroupBuilder").field("members", &names).finish_non_exhaustive()
    }
}
