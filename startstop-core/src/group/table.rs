//! The members of a group: what the plan knows of them, their runners, and who waits for them.

use std::borrow::Cow;
use std::collections::HashMap;

use tokio::sync::oneshot;

use super::error::GroupError;
use super::member::{MemberPart, Needs, Prepared};
use crate::report::shared_name::SharedName;
use crate::rules::graph::{Edges, Id};
use crate::rules::plan::{Action, GroupPlan};
use crate::sync::drop_in_turn;

/// The members.
#[derive(Default)]
pub(super) struct Table {
    pub(super) plan: GroupPlan,
    /// By id; `None` where a member was removed.
    pub(super) entries: Vec<Option<TableEntry>>,
    pub(super) ids: HashMap<SharedName, Id>,
}

pub(super) struct TableEntry {
    pub(super) name: SharedName,
    pub(super) part: MemberPart,
    /// Its cycle that the supervisor has last seen or asked for.
    pub(super) seen: u64,
    /// Its attempt that the supervisor has last seen, over all cycles.
    pub(super) attempt: u64,
    /// In a box: most members are there from the beginning to the end.
    change: Option<Box<EntryChange>>,
}

/// A member that comes or goes while the group is there.
#[derive(Default)]
pub(super) struct EntryChange {
    /// The futures of `insert` and `remove` that wait for this member.
    pub(super) inserting: Option<ChangeWaiter>,
    pub(super) removing: Vec<ChangeWaiter>,
    /// A stop of the group has cancelled its insertion: it is taken off when that is over.
    pub(super) is_cancelled: bool,
}

pub(super) type ChangeWaiter = oneshot::Sender<Result<(), GroupError>>;

impl Table {
    /// One whose members bear these names, and are still to be added; the plan will have so many nodes.
    pub(super) fn named(ids: HashMap<SharedName, Id>, nodes: usize) -> Self {
        Self {
            plan: GroupPlan::with_capacity(nodes),
            entries: Vec::with_capacity(nodes),
            ids,
        }
    }

    /// Returns the entry, unless its member is gone.
    pub(super) fn look_up(&self, id: Id) -> Option<&TableEntry> {
        self.entries.get(id.0)?.as_ref()
    }

    pub(super) fn entry(&self, id: Id) -> &TableEntry {
        self.entries[id.0]
            .as_ref()
            .expect("an id is used only while its member is there")
    }

    pub(super) fn entry_mut(&mut self, id: Id) -> &mut TableEntry {
        self.entries[id.0]
            .as_mut()
            .expect("an id is used only while its member is there")
    }

    /// Returns the members in the order in which they were added.
    pub(super) fn as_added(&self) -> impl Iterator<Item = &TableEntry> {
        self.plan
            .as_added()
            .into_iter()
            .filter_map(|id| self.look_up(id))
    }

    /// Adds a member whose dependencies are there.
    pub(super) fn add(&mut self, name: SharedName, member: Prepared, edges: Edges) -> Id {
        let id = self.put(name.clone(), member, edges);
        self.ids.insert(name, id);
        id
    }

    /// Adds a member whose name is there already. Without edges at first: it may come after one that is added later.
    pub(super) fn add_named(&mut self, name: SharedName, member: Prepared) {
        debug_assert_eq!(self.ids.get(&name), Some(&Id(self.plan.len())));
        self.put(name, member, Edges::default());
    }

    fn put(&mut self, name: SharedName, member: Prepared, edges: Edges) -> Id {
        let Prepared { part, policy, .. } = member;
        let id = self.plan.add(edges, policy);
        let shared = part.node().shared();
        let synced = shared.synced();
        let (seen, attempt) = (synced.cycle, shared.attempts());
        drop(synced);
        self.make_room();
        let entry = TableEntry {
            name,
            part,
            seen,
            attempt,
            change: None,
        };
        self.entries[id.0] = Some(entry);
        id
    }

    pub(super) fn add_barrier(&mut self) {
        self.plan.add_barrier();
        self.make_room();
    }

    /// Adds entries until there are as many as the plan has nodes.
    fn make_room(&mut self) {
        if self.entries.len() != self.plan.len() {
            self.entries.resize_with(self.plan.len(), || None);
        }
    }

    /// Takes a member off.
    pub(super) fn delete(&mut self, id: Id) -> Option<TableEntry> {
        let entry = self.entries.get_mut(id.0)?.take()?;
        self.ids.remove(&entry.name);
        self.plan.delete(id);
        self.make_room();
        Some(entry)
    }

    /// Takes what is to be done next into an empty list; all that was to be done before is done.
    pub(super) fn swap_actions(&mut self, actions: &mut Vec<Action>) {
        self.plan.trim();
        self.make_room();
        self.plan.swap_actions(actions);
    }
}

impl TableEntry {
    pub(super) fn is_inserted(&self) -> bool {
        self.change
            .as_ref()
            .is_some_and(|it| it.inserting.is_some())
    }

    pub(super) fn insert_for(&mut self, waiter: ChangeWaiter) {
        self.change.get_or_insert_default().inserting = Some(waiter);
    }

    pub(super) fn remove_for(&mut self, waiter: ChangeWaiter) {
        self.change.get_or_insert_default().removing.push(waiter);
    }

    /// Returns who waits for the insertion, which is over.
    pub(super) fn take_inserting(&mut self) -> Option<ChangeWaiter> {
        self.change.as_mut()?.inserting.take()
    }

    /// Returns who waits for the insertion, which a stop of the group has cancelled.
    pub(super) fn cancel_insertion(&mut self) -> Option<ChangeWaiter> {
        let change = self.change.as_mut()?;
        change.is_cancelled |= change.inserting.is_some();
        change.inserting.take()
    }

    /// Returns all that is known of how it comes and goes.
    pub(super) fn take_change(&mut self) -> EntryChange {
        self.change.take().map(|it| *it).unwrap_or_default()
    }
}

/// Groups may be nested deeper than the stack is: the members of inner ones are dropped by the outermost.
impl Drop for Table {
    fn drop(&mut self) {
        // The last one goes first, with all that is in it.
        drop_in_turn(std::mem::take(&mut self.entries));
    }
}

/// Returns what a member names, in order and each once.
pub(super) fn edges_of(
    member: &str,
    needs: &Needs,
    id_of: impl Fn(&str) -> Option<Id>,
) -> Result<Edges, GroupError> {
    let id = |name: &Cow<'static, str>| {
        id_of(name).ok_or_else(|| GroupError::UnknownDependency {
            member: member.to_owned(),
            dependency: name.clone().into_owned(),
        })
    };
    let ids = |names: &[Cow<'static, str>]| names.iter().map(id).collect::<Result<Vec<Id>, _>>();
    let bound = once_each(ids(&needs.bound_to)?);
    let mut deps = ids(&needs.after)?;
    deps.extend(&bound);
    Ok(Edges {
        deps: once_each(deps),
        bound,
    })
}

fn once_each(mut ids: Vec<Id>) -> Vec<Id> {
    ids.sort_unstable();
    ids.dedup();
    ids
}
