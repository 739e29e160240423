//! Inserting members into a group, and removing them from it, whether it runs or not.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::builder::{check_name, closed};
use super::change_queue::observe;
use super::error::GroupError;
use super::member::{IntoMember, MemberPart, Prepared};
use super::table::{ChangeWaiter, Table, TableEntry, edges_of};
use super::{Group, GroupShared};
use crate::engine::{Deferred, Ending, Identity, Node, ancestry, defer};
use crate::report::error::StartError;
use crate::report::shared_name::SharedName;
use crate::report::state::State;
use crate::rules::graph::Id;
use crate::runner::listen;
use crate::sync::MutexGuard;

impl Group {
    /// Adds a member. If the group runs or has been told to start, the member is started, and this resolves like
    /// [`start`](crate::Runner::start): if it fails, the member is removed again and the group goes on. One that is
    /// [bound to](crate::Member::bound_to) a member that was stopped by hand is inserted, and starts when that does. If a restart of the
    /// group is in progress, it waits until the members that the restart stops have stopped, and not for the backoff. If a
    /// task of such a member waits for the insertion, it has to give up when it is told to end, as by
    /// [`run_until_cancelled`](crate::Context::run_until_cancelled).
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Group, Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let app = Runner::new(Group::builder("app").build()?);
    /// app.start().await?;
    /// app.service().insert("http", service_fn(async |cx| cx.cancelled().await)).await?;
    /// assert!(app.service().get("http").unwrap().is_running());
    /// app.stop().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`DuplicateName`](GroupError::DuplicateName): the name is taken.
    /// - [`InvalidName`](GroupError::InvalidName): the name is empty or has a `/` in it.
    /// - [`UnknownDependency`](GroupError::UnknownDependency): it is to start after a member that does not exist, or
    ///   that leaves the group when it has ended.
    /// - [`Cycle`](GroupError::Cycle): it is the group itself, or contains the group, as far as the
    ///   group can tell: it cannot look inside a closure.
    /// - [`Start`](GroupError::Start): it did not start.
    /// - [`Stopping`](GroupError::Stopping): the group stops, or is told to before the member is there. Then this is the answer
    ///   at once, for a member that waits for it has to end first; one that was inserted so far leaves with the stop.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the insertion goes on to its end when this future is dropped.
    pub async fn insert(
        &self,
        name: impl Into<String>,
        member: impl IntoMember,
    ) -> Result<(), GroupError> {
        let name = SharedName::from(name.into());
        check_name(&name)?;
        // Not under the lock of the table: it asks the service, which is user code.
        let member = member.into_member().prepare(name.clone());
        match self.shared.insert(name, member)? {
            Some(answer) => said(answer).await,
            None => Ok(()),
        }
    }

    /// Stops a member and takes it off. It waits until those that a restart takes down are down, and not for the
    /// backoff of the restart.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Group, Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let idle = service_fn(async |cx| cx.cancelled().await);
    /// let app = Runner::new(Group::builder("app").with("http", idle).build()?);
    /// app.start().await?;
    /// app.service().remove("http").await?;
    /// assert!(app.service().members().is_empty());
    /// # app.stop().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`UnknownMember`](GroupError::UnknownMember): there is no member of that name.
    /// - [`HasDependents`](GroupError::HasDependents): others depend on it.
    /// - [`Stop`](GroupError::Stop): it did not stop well.
    /// - [`Stopping`](GroupError::Stopping): the group stops.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the removal goes on to its end when this future is dropped.
    pub async fn remove(&self, name: &str) -> Result<(), GroupError> {
        let removal = self.shared.remove(name)?;
        match removal {
            Removal::Asked(answer) => {
                self.shared.change_queue.notify();
                said(answer).await
            }
            // Whoever started it by its handle has to live with that.
            Removal::Done(entry) => {
                let stopped = entry.part.runner.stop().await;
                stopped.map_err(GroupError::Stop)
            }
        }
    }
}

/// Waits for what the supervisor has to say, or until it has left.
async fn said(answer: ChangeReply) -> Result<(), GroupError> {
    answer.await.unwrap_or(Err(GroupError::Stopping))
}

type ChangeReply = oneshot::Receiver<Result<(), GroupError>>;

pub(super) fn reply(sender: Option<ChangeWaiter>, outcome: Result<(), GroupError>) {
    if let Some(sender) = sender {
        // Nobody may wait any more: the change has had its effect.
        let _ = sender.send(outcome);
    }
}

/// The owner of the group, its table, and the member in it.
type Added<'t> = (Option<Arc<dyn Node>>, MutexGuard<'t, Table>, Id);

/// The group as an insertion has found it, and where the answer comes.
enum Inserted {
    /// It runs: its supervisor is to look at the member.
    Open(Id, ChangeReply),
    /// It is about to run.
    ToOpen(ChangeReply),
    AtRest,
}

enum Removal {
    /// The supervisor does it.
    Asked(ChangeReply),
    /// The group does not run: the member is off, and may run by itself.
    Done(TableEntry),
}

impl GroupShared {
    /// Adds a member to the table, unless the group itself is a part of it.
    fn add(&self, name: SharedName, member: Prepared) -> Result<Added<'_>, GroupError> {
        let group = Identity(std::ptr::from_ref(self).addr());
        let is_group = |node: &Arc<dyn Node>| node.identity() == Some(group);
        let (node, told) = (Arc::clone(member.part.node()), name.clone());
        let add = || {
            let mut table = self.table();
            let owner = self.owner();
            let state = |owner: &Arc<dyn Node>| owner.shared().atomic_state.read().state();
            // Before its supervisor has heard of the stop, and when that has ended and something of the group has not.
            let id = if owner.as_ref().map(state) == Some(State::Stopping) {
                Err(GroupError::Stopping)
            } else {
                table.insert(name, member)
            };
            (owner, table, id)
        };
        let (owner, table, id) = ancestry::add(&node, &told, is_group, add)
            .map_err(|path| GroupError::Cycle { path: closed(path) })?;
        Ok((owner, table, id?))
    }

    fn insert(
        self: &Arc<Self>,
        name: SharedName,
        member: Prepared,
    ) -> Result<Option<ChangeReply>, GroupError> {
        let part = member.part.clone();
        let put = |deferred: &mut Deferred| self.put(name, member, &part, deferred);
        let inserted = defer(part.node(), put)?;
        Ok(match inserted {
            Inserted::Open(id, answer) => {
                self.change_queue.push(id);
                Some(answer)
            }
            Inserted::ToOpen(answer) => Some(answer),
            Inserted::AtRest => None,
        })
    }

    /// Puts a member into the table; whom that wakes is left to be woken without its lock.
    fn put(
        self: &Arc<Self>,
        name: SharedName,
        member: Prepared,
        part: &MemberPart,
        deferred: &mut Deferred,
    ) -> Result<Inserted, GroupError> {
        let told = name.clone();
        // The owner goes last: it may be the last reference to it.
        let (owner, mut table, id) = self.add(name, member)?;
        if let Some(owner) = &owner {
            // Under the lock, as below: it is told before anybody starts the member.
            listen::inserted(owner, &told, part.node(), deferred);
        }
        let inserted = if table.plan.is_open() {
            let answer = table.ask(id);
            // Under the lock: who takes it off again finds it observed.
            observe(&self.change_queue, id, &mut part.node().shared().synced());
            Inserted::Open(id, answer)
        } else if owner.as_ref().is_some_and(|it| self.is_to_open(it, part)) {
            // Its supervisor finds the member when it comes.
            Inserted::ToOpen(table.ask(id))
        } else {
            Inserted::AtRest
        };
        drop(table);
        Ok(inserted)
    }

    /// Whether the group has been told to start, or starts, and its supervisor has not come yet. If it never does, the member
    /// is taken off again.
    fn is_to_open(self: &Arc<Self>, owner: &Arc<dyn Node>, part: &MemberPart) -> bool {
        let (group, node) = (Arc::downgrade(self), Arc::downgrade(part.node()));
        let take_off = move || {
            if let (Some(group), Some(node)) = (group.upgrade(), node.upgrade()) {
                group.did_not_open(&node);
            }
        };
        let ending = Ending(Box::new(take_off));
        // In a statement of its own, so that what is handed back is dropped outside of the lock.
        let kept = owner.shared().synced().at_end_of_coming(ending);
        kept.is_ok()
    }

    /// The start for which a member was inserted is over, and no supervisor has come to it.
    fn did_not_open(&self, node: &Arc<dyn Node>) {
        let entry = {
            let mut table = self.table();
            let is_it = |(_, entry): &(Id, &Option<TableEntry>)| {
                let entry = entry.as_ref();
                entry.is_some_and(|it| it.is_inserted() && Arc::ptr_eq(it.part.node(), node))
            };
            let found = (0..).map(Id).zip(&table.entries).find(is_it);
            let id = found.map(|(id, _)| id).filter(|_| !table.plan.is_open());
            id.and_then(|id| table.delete(id))
        };
        let Some(mut entry) = entry else { return };
        self.tell_removed(&entry.name, &entry.part);
        reply(entry.take_inserting(), Err(GroupError::Stopping));
    }
}

impl GroupShared {
    fn remove(&self, name: &str) -> Result<Removal, GroupError> {
        let mut removal = self.table().remove(name)?;
        if let Removal::Done(entry) = &mut removal {
            self.tell_removed(&entry.name, &entry.part);
            let not_started = GroupError::Start(StartError::Stopped);
            reply(entry.take_inserting(), Err(not_started));
        }
        Ok(removal)
    }

    /// Those who listen to the group hear of the member for the last time.
    pub(super) fn tell_removed(&self, name: &SharedName, part: &MemberPart) {
        if let Some(owner) = self.owner() {
            listen::removed(&owner, name, part.node());
        }
    }
}

impl Table {
    fn insert(&mut self, name: SharedName, member: Prepared) -> Result<Id, GroupError> {
        if self.plan.is_stopping() {
            return Err(GroupError::Stopping);
        }
        if self.ids.contains_key(&name) {
            return Err(GroupError::DuplicateName {
                name: name.to_string(),
            });
        }
        // One that is being removed is as good as gone; so is one that leaves when it has ended.
        let stays = |id: &Id| self.plan.can_be_depended_on(*id);
        let id_of = |name: &str| self.ids.get(name).copied().filter(stays);
        let edges = edges_of(&name, &member.needs, id_of)?;
        Ok(self.add(name, member, edges))
    }

    /// Asks the supervisor what becomes of a member that was inserted.
    fn ask(&mut self, id: Id) -> ChangeReply {
        let (sender, answer) = oneshot::channel();
        self.entry_mut(id).insert_for(sender);
        answer
    }

    fn remove(&mut self, name: &str) -> Result<Removal, GroupError> {
        let unknown = || GroupError::UnknownMember {
            name: name.to_owned(),
        };
        let id = *self.ids.get(name).ok_or_else(unknown)?;
        let dependents = self.plan.dependents(id);
        if !dependents.is_empty() {
            let name_of = |id: Id| self.entry(id).name.to_string();
            let dependents = dependents.into_iter().map(name_of).collect();
            return Err(GroupError::HasDependents {
                name: name.to_owned(),
                dependents,
            });
        }
        if self.plan.is_stopping() {
            return Err(GroupError::Stopping);
        }
        if !self.plan.is_open() {
            // Who waits for its insertion is answered without the lock.
            return self.delete(id).map(Removal::Done).ok_or_else(unknown);
        }
        let (sender, answer) = oneshot::channel();
        self.entry_mut(id).remove_for(sender);
        self.plan.remove(id);
        Ok(Removal::Asked(answer))
    }
}
