//! The supervisor's side of `insert` and `remove`: members that leave, and the answers to who waits.

use std::mem;

use super::Supervisor;
use super::member_snapshot::{StopSeen, stop_outcome};
use crate::group::change::reply;
use crate::group::change_queue::unobserve;
use crate::group::error::GroupError;
use crate::group::member::MemberPart;
use crate::group::table::TableEntry;
use crate::report::error::{StartError, StopError};
use crate::report::failure::RawFailure;
use crate::report::panic::catch_panic;
use crate::rules::graph::Id;
use crate::service::context::attempt_guard::record;

pub(super) fn removed(supervisor: &mut Supervisor<'_>, id: Id) {
    // Said twice, it may be about one that was inserted in its place by now.
    if !supervisor.shared.table().plan.is_leaving(id) {
        return;
    }
    supervisor.look_at_one(id);
    let (told, entry) = {
        let mut table = supervisor.shared.table();
        // Its handle may have started it since: this is said again once it is down.
        if table.plan.is_alive(id) {
            return;
        }
        (table.plan.was_told(id), table.delete(id))
    };
    let Some(entry) = entry else { return };
    let told = if told {
        StopSeen::Told
    } else {
        StopSeen::AtRest
    };
    let outcome = |part: &MemberPart| stop_outcome(&**part.node(), told);
    take_off(supervisor, id, entry, outcome, StartError::Stopped);
}

/// A member that was inserted is settled, although it does not run: so it has started as far as the group is concerned.
pub(super) fn settled(supervisor: &Supervisor<'_>, id: Id) {
    let mut table = supervisor.shared.table();
    if table.look_up(id).is_none() {
        return;
    }
    let inserted = table.entry_mut(id).take_inserting();
    drop(table);
    reply(inserted, Ok(()));
}

/// A stop of the group has begun: those who wait for an insertion are answered at once, for they may be a part of a member
/// that is to end.
pub(super) fn cancel_insertions(supervisor: &Supervisor<'_>) {
    let mut cancelled = Vec::new();
    for entry in supervisor.shared.table().entries.iter_mut().flatten() {
        cancelled.extend(entry.cancel_insertion());
    }
    for sender in cancelled {
        reply(Some(sender), Err(GroupError::Stopping));
    }
}

/// A member that was inserted did not start: it is taken off again.
pub(super) fn withdraw(supervisor: &mut Supervisor<'_>, id: Id, error: StartError) {
    // They were inserted after it; those that their handles have started do without it.
    let waiting = supervisor.shared.table().plan.waiting_for(id);
    for dependent in waiting {
        supervisor.fail_dependency(dependent, id);
    }
    let entry = supervisor.shared.table().delete(id);
    let Some(entry) = entry else { return };
    take_off(supervisor, id, entry, |_| Ok(()), error);
}

/// Parts with a member that is deleted from the table, and answers those who wait for it.
fn take_off(
    supervisor: &mut Supervisor<'_>,
    id: Id,
    mut entry: TableEntry,
    stopped: impl FnOnce(&MemberPart) -> Result<(), StopError>,
    not_started: StartError,
) {
    unobserve(&supervisor.shared.change_queue, id, &entry.part);
    supervisor.shared.tell_removed(&entry.name, &entry.part);
    let stopped = stopped(&entry.part);
    let removed = stopped.map_err(GroupError::Stop);
    let change = entry.take_change();
    let removing = change.removing.into_iter();
    supervisor
        .replies
        .extend(removing.map(|sender| (sender, removed.clone())));
    let not_started = Err(GroupError::Start(not_started));
    let inserting = change.inserting.map(|sender| (sender, not_started));
    supervisor.replies.extend(inserting);
    supervisor.gone.push(entry.part);
}

/// Lets go of the runners of those that were taken off, whose services may panic in their drop.
pub(super) fn let_go(supervisor: &mut Supervisor<'_>) {
    if supervisor.gone.is_empty() && supervisor.replies.is_empty() {
        return;
    }
    // Also its room: many may have been taken off at once.
    for part in mem::take(&mut supervisor.gone) {
        if let Err(panic) = catch_panic(|| drop(part)) {
            record(supervisor.cx, RawFailure::panic(panic));
        }
    }
    // Who is answered finds the value of the service gone, and with it the port that it has bound.
    for (sender, outcome) in supervisor.replies.drain(..) {
        reply(Some(sender), outcome);
    }
}
