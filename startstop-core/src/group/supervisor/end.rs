//! The end of the supervisor: its result, and what becomes of the members when it is dropped.

use super::observe::give_guard;
use super::{Supervisor, changes, late, member_snapshot};
use crate::engine::attempt_guard::AttemptGuard;
use crate::engine::request;
use crate::group::change::reply;
use crate::group::change_queue::unobserve;
use crate::group::error::GroupError;
use crate::group::member::MemberPart;
use crate::group::table::TableEntry;
use crate::report::error::StopError;
use crate::report::failure::RawFailure;
use crate::report::panic::BoxError;
use crate::report::state::State;
use crate::rules::graph::Id;
use crate::rules::lifecycle::StopStage;
use crate::rules::plan::Closing;
use crate::service::context::attempt_guard::record;

/// Looks once more for members that are not down although the group ends. They were stopping when it
/// began, so that it has told them nothing, or their handles have started them since.
pub(super) fn finds_more(supervisor: &mut Supervisor<'_>) -> bool {
    let table = supervisor.shared.table();
    if table.plan.closing().is_none() {
        return false;
    }
    let entries = (0..).map(Id).zip(&table.entries);
    let is_there = |entry: &TableEntry| entry.part.state() != State::Stopped;
    let there = entries.filter(|(_, entry)| entry.as_ref().is_some_and(is_there));
    let there: Vec<Id> = there.map(|(id, _)| id).collect();
    drop(table);
    supervisor.look_at(&there);
    supervisor.again || !supervisor.is_finished()
}

/// Returns the result of `run`: what has ended the group, or else one that does not yield. The others that do
/// not are recorded beside it.
pub(super) fn end(mut supervisor: Supervisor<'_>) -> Result<(), BoxError> {
    supervisor.ended = true;
    if supervisor.failure.is_none() && supervisor.shared.table().plan.have_all_failed() {
        supervisor.failure = supervisor.last.take().map(BoxError::from);
    }
    let stuck = stuck(&supervisor).into_iter().map(BoxError::from);
    let mut failures = supervisor.failure.take().into_iter().chain(stuck);
    let result = failures.next().map_or(Ok(()), Err);
    for other in failures {
        record(supervisor.cx, RawFailure::of(|| other));
    }
    result
}

/// Ends what still is of a member, which its handle may have started since anybody looked.
fn leave(supervisor: &Supervisor<'_>, part: &MemberPart) {
    if part.state() == State::Stopped {
        return;
    }
    let place = AttemptGuard::last(supervisor.cx);
    give_guard(
        part,
        place.map(|place| place.map(|place| place.until(StopStage::Cancelled))),
    );
    if supervisor.ended {
        request::stop_orphan(part.node(), supervisor.cx.remaining());
    } else {
        request::abort_part(part.node());
    }
}

/// Returns the members that do not yield, but for one whose failure has ended the group.
fn stuck(supervisor: &Supervisor<'_>) -> Vec<StopError> {
    let table = supervisor.shared.table();
    let ended_by = match table.plan.closing() {
        Some(Closing::Failed(id) | Closing::Limit(id)) => Some(id),
        Some(Closing::Told | Closing::Completed) | None => None,
    };
    let entries = (0..).map(Id).zip(&table.entries);
    let others = entries.filter(|(id, _)| Some(*id) != ended_by);
    others
        .filter_map(|(_, entry)| member_snapshot::stuck(&**entry.as_ref()?.part.node()))
        .collect()
}

/// However the supervisor ends, by itself or dropped, no member is left running and nobody waits.
impl Drop for Supervisor<'_> {
    fn drop(&mut self) {
        if !self.ended {
            late::record(self);
        }
        let (parts, waiting, gone) = {
            let mut table = self.shared.table();
            table.plan.shut();
            let mut waiting = Vec::new();
            let mut parts = Vec::new();
            let mut gone = Vec::new();
            // From the last, since one that was inserted may come after another.
            for id in table.plan.as_added().into_iter().rev() {
                let leaves = table.plan.is_transient(id);
                let entry = table.entry_mut(id);
                let change = entry.take_change();
                waiting.extend(change.removing);
                unobserve(&self.shared.change_queue, id, &entry.part);
                if entry.part.state() != State::Stopped {
                    parts.push(entry.part.clone());
                }
                if leaves || change.inserting.is_some() || change.is_cancelled {
                    waiting.extend(change.inserting);
                    // Its runner is dropped below, outside of the lock.
                    gone.extend(table.delete(id));
                }
            }
            (parts, waiting, gone)
        };
        for part in parts {
            leave(self, &part);
            self.gone.push(part);
        }
        for entry in gone {
            self.shared.tell_removed(&entry.name, &entry.part);
            self.gone.push(entry.part);
        }
        changes::let_go(self);
        for sender in waiting {
            reply(Some(sender), Err(GroupError::Stopping));
        }
    }
}
