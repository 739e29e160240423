//! The supervisor carries out the actions of the plan.

use super::member_snapshot::{StartSeen, comes_again, goes_down, is_on_its_way, next_cycle};
use super::{Doors, ROOM, Supervisor, changes, readiness, shares};
use crate::engine::attempt_guard::{AttemptGuard, Closed};
use crate::engine::listeners;
use crate::engine::request::{self, Caller, Reply, Start};
use crate::group::error::DependencyFailed;
use crate::group::member::MemberPart;
use crate::report::error::StartError;
use crate::report::failure::RawFailure;
use crate::rules::graph::Id;
use crate::rules::plan::{Action, MemberEnd};
use crate::runner::listen;

impl Supervisor<'_> {
    /// Does what the plan says until it has nothing more to say. One that cannot start may be restarted
    /// for ever without anybody being asked: the runtime has its turn in between.
    pub(super) fn run_actions(&mut self) {
        self.again = false;
        // Before those are told to stop who are to stay down for good.
        self.shut_doors();
        let mut actions = std::mem::take(&mut self.actions);
        while !self.again {
            self.shared.table().swap_actions(&mut actions);
            if actions.is_empty() {
                break;
            }
            for action in actions.drain(..) {
                match action {
                    Action::Start(id) => self.start(id, Start::First),
                    Action::Restart(id) => self.start(id, Start::Again),
                    Action::Stop(id) => self.stop(id),
                    Action::FailDependency { member, dependency } => {
                        // A restart may have given the member another chance since.
                        if self.shared.table().plan.is_failing(member) {
                            self.fail_dependency(member, dependency);
                            self.again = true;
                        }
                    }
                    Action::Removed(id) => changes::removed(self, id),
                    Action::Settled(id) => changes::settled(self, id),
                }
            }
        }
        actions.shrink_to(ROOM);
        self.actions = actions;
        self.shut_doors();
        changes::let_go(self);
        readiness::show(self);
    }

    /// Once a stop of the group has begun nobody is inserted any more, and nobody comes again.
    fn shut_doors(&mut self) {
        if self.doors == Doors::Open && self.shared.table().plan.is_stopping() {
            self.doors = Doors::Shut;
            changes::cancel_insertions(self);
            self.cancel_starts();
        }
    }

    fn start(&mut self, id: Id, counts: Start) {
        let Some(part) = self.placed(id) else { return };
        let next = next_cycle(&**part.node());
        self.shared.change_queue.mute(id);
        let started = match AttemptGuard::kept(self.cx) {
            Ok(Some(place)) => request::start_part(part.node(), place, counts, Caller::No),
            Ok(None) => request::start(part.node(), request::StartKind::Ensure, None, Caller::No),
            Err(Closed) => Reply::Now(Err(StartError::Stopped)),
        };
        match started {
            Reply::Now(Err(error)) => {
                self.shared.change_queue.unmute();
                self.shared.change_queue.push(id);
                let failure = part.runner.errors_last();
                self.on_ended(id, MemberEnd::Failed, failure.as_ref(), || error);
                self.again = true;
            }
            // What comes of it comes by the change queue; a member that was adopted has nothing to say.
            _ => self.look_after(id, Some(next)),
        }
    }

    /// A stop of the group has begun. Who was told before may have been asked by its handle since to start again when it has
    /// ended: that is over.
    pub(super) fn cancel_starts(&mut self) {
        let again = {
            let table = self.shared.table();
            let mut stopping = table.plan.stopping();
            stopping.retain(|id| {
                let entry = table.look_up(*id);
                entry.is_some_and(|entry| comes_again(&**entry.part.node()))
            });
            stopping
        };
        for id in again {
            shares::stop(self, id);
        }
    }

    fn stop(&mut self, id: Id) {
        let (part, down) = {
            let mut table = self.shared.table();
            let Some(entry) = table.look_up(id) else {
                return;
            };
            let part = entry.part.clone();
            if goes_down(&**part.node()) {
                table.plan.on_ending_unasked(id);
            }
            (part, shares::down(&table, id))
        };
        self.shared.change_queue.mute(id);
        shares::stop_within(self, id, &part, down);
        self.look_after(id, None);
    }

    /// Looks at what has come of an action, which needs no other look for its news; a start has asked for this cycle.
    fn look_after(&mut self, id: Id, asked: Option<u64>) {
        self.shared.change_queue.unmute();
        if !self.does_as_told(id, asked) {
            self.look_at_one(id);
        }
    }

    /// Returns whether a member is on the way that it was told to take, and nothing else has become of it since it was looked at:
    /// another look would tell the plan nothing.
    fn does_as_told(&self, id: Id, asked: Option<u64>) -> bool {
        let mut table = self.shared.table();
        if let Some(cycle) = asked {
            table.entry_mut(id).seen = cycle;
        }
        let Some(entry) = table.look_up(id) else {
            return true;
        };
        let is_known = |cycle, attempt| (cycle, attempt) == (entry.seen, entry.attempt);
        let is_told = table.plan.is_alive(id) && !table.plan.is_up(id);
        let known_start = if table.plan.has_been_ready(id) && !entry.is_inserted() {
            StartSeen::Yes
        } else {
            StartSeen::No
        };
        is_told && is_on_its_way(&**entry.part.node(), known_start, is_known)
    }

    /// Returns a member that the group is about to start, named after it.
    fn placed(&self, id: Id) -> Option<MemberPart> {
        let table = self.shared.table();
        let entry = table.look_up(id)?;
        let part = entry.part.clone();
        let Some(path) = &self.path else {
            return Some(part);
        };
        let own = listeners::move_below(&mut part.node().shared().synced(), path, &entry.name);
        if own.is_empty() {
            return Some(part);
        }
        let name = entry.name.clone();
        drop(table);
        listen::has_moved(path, &name, part.node(), own);
        Some(part)
    }

    pub(super) fn fail_dependency(&mut self, member: Id, dependency: Id) {
        let Some(part) = self.part(member) else {
            return;
        };
        let name = self
            .shared
            .table()
            .look_up(dependency)
            .map(|entry| entry.name.to_string());
        let error = DependencyFailed {
            dependency: name.unwrap_or_default(),
        };
        let failure = request::record(part.node(), RawFailure::of(|| error.into()));
        let error = || StartError::Failed(failure.clone());
        self.on_ended(member, MemberEnd::Failed, Some(&failure), error);
    }
}
