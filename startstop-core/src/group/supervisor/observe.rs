//! The supervisor tells the plan of its members, and draws from that what concerns the whole group.

use super::member_snapshot::{MemberSnapshot, StartSeen};
use super::{StopRequest, Supervisor, changes, late, restart};
use crate::engine::attempt_guard::{AttemptGuard, Closed};
use crate::engine::{drain, owners, request};
use crate::group::change::reply;
use crate::group::member::MemberPart;
use crate::group::table::Table;
use crate::report::error::StartError;
use crate::report::failure::{Failure, Interruption, RawFailure};
use crate::report::state::State;
use crate::rules::graph::Id;
use crate::rules::plan::{Closing, MemberEnd};
use crate::runner::snapshot;
use crate::service::context::attempt_guard::record;
use crate::sync::MutexGuard;

impl<'a> Supervisor<'a> {
    /// Looks at those that have ended before a stop of the group: how they ended is none of the stop, whether or not the
    /// group has heard of it yet.
    pub(super) fn look_at_ended(&mut self) {
        let table = self.shared.table();
        let entries = (0..).map(Id).zip(&table.entries);
        let alive = entries.filter(|(id, entry)| entry.is_some() && table.plan.is_alive(*id));
        let ended = alive.filter_map(|(id, entry)| {
            let node = &**entry.as_ref()?.part.node();
            let is_down = node.shared().atomic_state.read().state() == State::Stopped;
            // Of one that was lost it has to be seen first whether the runtime ends.
            (is_down && !snapshot::was_aborted(node)).then_some(id)
        });
        let ended: Vec<Id> = ended.collect();
        drop(table);
        for id in ended {
            self.look_at_one(id);
        }
    }

    /// Tells the plan what a member is up to.
    pub(super) fn look_at_one(&mut self, id: Id) {
        let shared = self.shared;
        let table = shared.table();
        let Some(entry) = table.look_up(id) else {
            return;
        };
        let look = MemberSnapshot::at(&**entry.part.node());
        if look.is_resting() {
            self.saw_at_rest(table, id, &look);
        } else {
            self.saw_alive(table, id, &look);
        }
    }

    fn saw_alive(&mut self, mut table: MutexGuard<'a, Table>, id: Id, look: &MemberSnapshot) {
        if let Some(missed) = missed_end(&mut table, id, look) {
            drop(table);
            self.catch_up(id, look, missed);
            let shared = self.shared;
            table = shared.table();
            if table.look_up(id).is_none() {
                return;
            }
        }
        let is_to_come = table.plan.is_to_come(id) || look.cycle < table.entry(id).seen;
        if look.state != State::Stopping {
            table.plan.on_restarted(id);
        } else if is_to_come {
            // What ends is none of the group's: its start follows.
            return;
        }
        let was_alive = table.plan.is_alive(id);
        let mut inserted = None;
        if look.start != StartSeen::No {
            inserted = table.entry_mut(id).take_inserting();
        }
        let was_missed = look.start == StartSeen::Yes && !table.plan.has_been_ready(id);
        if look.ready {
            table.plan.says_ready(id);
        } else {
            table.plan.says_not_ready(id);
        }
        let before = std::mem::replace(&mut table.entry_mut(id).attempt, look.attempt);
        if look.attempt > before && table.plan.is_up(id) {
            // It has been down since, before anybody looked.
            table.plan.on_starting(id);
        }
        match look.state {
            State::Running => table.plan.on_ready(id),
            // One that completes is as good as one that has.
            State::Stopping if look.completes && table.plan.is_up(id) => {}
            _ if look.start == StartSeen::Before || was_missed => table.plan.on_ready_briefly(id),
            _ => table.plan.on_starting(id),
        }
        drop(table);
        reply(inserted, Ok(()));
        let comes_up = self.told == StopRequest::ToDrain && look.state == State::Running;
        if !comes_up && was_alive {
            return;
        }
        let Some(part) = self.part(id) else { return };
        if comes_up {
            // It has come up meanwhile.
            drain::tell(part.node());
        }
        if !was_alive {
            // It was started by its handle: it is one of the group again.
            give_guard(&part, AttemptGuard::kept(self.cx));
        }
    }

    /// Tells the plan of the end of a cycle that it has missed.
    fn catch_up(&mut self, id: Id, look: &MemberSnapshot, missed: MemberEnd) {
        match missed {
            // Stopped by its handle, perhaps in order to start anew: who waits for it waits on.
            MemberEnd::Told | MemberEnd::Own | MemberEnd::Stuck => {
                let mut table = self.shared.table();
                table.plan.on_ended(id, MemberEnd::Told, || true);
            }
            MemberEnd::Completed | MemberEnd::Failed => {
                let shared = self.shared;
                self.saw_end(shared.table(), id, look);
            }
        }
    }

    fn saw_at_rest(&mut self, mut table: MutexGuard<'a, Table>, id: Id, look: &MemberSnapshot) {
        let seen = std::mem::replace(&mut table.entry_mut(id).seen, look.cycle);
        if look.cycle > seen {
            // It was started by its handle, and has ended before anybody looked.
            table.plan.on_restarted(id);
            table.plan.on_starting(id);
        }
        if look.state == State::Stopped {
            table.plan.ends(id);
        }
        if !table.plan.is_alive(id) {
            // The news is old: it has been at rest since before.
            return;
        }
        self.saw_end(table, id, look);
    }

    /// The cycle has ended in which the plan takes the member for alive.
    fn saw_end(&mut self, mut table: MutexGuard<'a, Table>, id: Id, look: &MemberSnapshot) {
        let mut inserted = None;
        if look.was_ready {
            table.plan.on_ready(id);
            inserted = table.entry_mut(id).take_inserting();
        }
        let rest = look.rest();
        let of_stop = table.plan.fails_in_stop(id);
        let failure = look.failure.as_ref();
        let start_error = || look.start_error.clone();
        let in_stop = failure.filter(|_| of_stop && look.stuck.is_none());
        let is_plain = in_stop.is_none() && inserted.is_none() && rest != MemberEnd::Completed;
        if is_plain {
            self.on_ended_in(table, id, rest, failure, start_error);
            return;
        }
        drop(table);
        if let Some(failure) = in_stop {
            record(self.cx, RawFailure::of(|| failure.clone().into()));
        }
        reply(inserted, Ok(()));
        if rest == MemberEnd::Completed && self.fails_by_completing(id) {
            return;
        }
        self.on_ended(id, rest, failure, start_error);
    }

    /// A member has completed: has it fail, if that is a failure of it.
    fn fails_by_completing(&mut self, id: Id) -> bool {
        let part = self
            .part(id)
            .filter(|_| self.shared.table().plan.fails_by_completing(id));
        let Some(part) = part else { return false };
        let failure = request::record(
            part.node(),
            RawFailure::interruption(Interruption::Completed),
        );
        let error = || StartError::Failed(failure.clone());
        self.on_ended(id, MemberEnd::Failed, Some(&failure), error);
        true
    }

    /// Tells the plan that a member rests, and what of it concerns the whole group.
    pub(super) fn on_ended(
        &mut self,
        id: Id,
        rest: MemberEnd,
        failure: Option<&Failure>,
        start_error: impl FnOnce() -> StartError,
    ) {
        let shared = self.shared;
        self.on_ended_in(shared.table(), id, rest, failure, start_error);
    }

    fn on_ended_in(
        &mut self,
        mut table: MutexGuard<'a, Table>,
        id: Id,
        rest: MemberEnd,
        failure: Option<&Failure>,
        start_error: impl FnOnce() -> StartError,
    ) {
        let mut begins = false;
        let restarts = &mut self.restarts;
        let fresh = table.plan.is_coming(id);
        let of_stop = table.plan.fails_in_stop(id);
        let was_closing = table.plan.closing();
        table.plan.on_ended(id, rest, || {
            begins = restarts.allows(self.shared.limit);
            begins
        });
        let closing = table.plan.closing();
        drop(table);
        if begins {
            restart::begin_backoff(self);
        }
        let failed = matches!(rest, MemberEnd::Failed | MemberEnd::Stuck) && !of_stop;
        let failure_of_policy = failure.filter(|_| failed);
        if fresh && !matches!(rest, MemberEnd::Completed) {
            self.record_of_member(failure_of_policy);
            changes::withdraw(self, id, start_error());
            return;
        }
        let exceeded = match closing.filter(|_| was_closing.is_none()) {
            Some(Closing::Failed(_)) => None,
            Some(Closing::Limit(_)) => self.shared.limit,
            Some(Closing::Told | Closing::Completed) => return,
            None => {
                self.record_of_member(failure_of_policy);
                // The group goes on after it.
                self.last = failure_of_policy.cloned().or(self.last.take());
                return;
            }
        };
        late::end_start(self);
        let limited = match (failure, exceeded) {
            (Some(failure), Some((max, window))) => Some(failure.at_limit(max, window)),
            (failure, _) => failure.cloned(),
        };
        // Before the failure of the group, which is the last.
        self.record_of_member(limited.as_ref());
        self.failure = Some(match limited {
            Some(failure) => failure.into(),
            None => start_error().into(),
        });
    }

    /// The failure of a member, which its policy has given up on, is in the history of the group too.
    fn record_of_member(&self, failure: Option<&Failure>) {
        let Some(failure) = failure else { return };
        if let Some(attempt) = self.cx.attempt_link() {
            request::record_of_part(attempt.node(), failure);
        }
    }
}

/// Returns how a cycle has ended whose member was started again before anybody looked.
fn missed_end(table: &mut Table, id: Id, look: &MemberSnapshot) -> Option<MemberEnd> {
    let seen = &mut table.entry_mut(id).seen;
    let missed = look.cycle > *seen;
    *seen = look.cycle.max(*seen);
    (missed && table.plan.stays_up(id)).then(|| look.rest())
}

/// Keeps the group from its end until this member has ended.
pub(super) fn give_guard(part: &MemberPart, place: Result<Option<AttemptGuard>, Closed>) {
    let Ok(Some(place)) = place else { return };
    let rest = owners::keep_guard(&mut part.node().shared().synced(), place);
    drop(rest);
}
