//! The supervisor begins: it opens the plan, and takes on the members as they are.

use std::sync::Arc;

use super::restart::Restarts;
use super::shares::Shares;
use super::{Doors, FoundBy, StopRequest, Supervisor};
use crate::engine::{Listener, listeners};
use crate::group::GroupShared;
use crate::group::change_queue::observe;
use crate::group::error::GroupError;
use crate::group::member::MemberPart;
use crate::group::table::TableEntry;
use crate::report::path::Path;
use crate::report::shared_name::SharedName;
use crate::report::state::State;
use crate::rules::graph::Id;
use crate::runner::listen;
use crate::service::context::Context;

/// Members that ask for more than to be started.
#[derive(Default)]
struct Opened {
    /// Those that run already.
    there: Vec<Id>,
    /// Those that had another path, with the streams of their own as they were.
    moved: Vec<(SharedName, MemberPart, Vec<Listener>)>,
}

/// Returns the supervisor of the members, once all that can start at once have been told to.
pub(super) fn open<'a>(
    shared: &'a Arc<GroupShared>,
    cx: &'a Context,
) -> Result<Supervisor<'a>, GroupError> {
    let path = cx
        .attempt_link()
        .map(|attempt| listen::path_of(&**attempt.node()));
    let Opened { there, moved } = opened(shared, cx, path.as_ref())?;
    let mut supervisor = Supervisor {
        shared,
        cx,
        path,
        restarts: Restarts::default(),
        told: StopRequest::Nothing,
        started: false,
        unready: None,
        changed: Vec::new(),
        actions: Vec::new(),
        found: FoundBy::Look,
        again: false,
        doors: Doors::Open,
        ended: false,
        failure: None,
        last: None,
        shares: Shares::default(),
        gone: Vec::new(),
        replies: Vec::new(),
    };
    for (name, part, own) in moved {
        if let Some(path) = &supervisor.path {
            listen::has_moved(path, &name, part.node(), own);
        }
        supervisor.gone.push(part);
    }
    // Those that run already are adopted as they are.
    for id in there {
        supervisor.look_at_one(id);
    }
    supervisor.run_actions();
    Ok(supervisor)
}

/// Opens the plan, for one supervisor at a time: two would take each other's news. Each member is named after the group
/// and observed from then on.
fn opened(shared: &GroupShared, cx: &Context, path: Option<&Path>) -> Result<Opened, GroupError> {
    let group = cx
        .attempt_link()
        .map(|attempt| Arc::downgrade(attempt.node()));
    let mut table = shared.table();
    if table.plan.is_open() {
        return Err(GroupError::AlreadyRuns);
    }
    // Under the lock of the table, so that the news of one that is inserted now is not lost.
    shared.change_queue.open(group);
    let opened = &mut *table;
    opened.plan.open();
    for (id, entry) in (0..).map(Id).zip(&opened.entries) {
        if entry.as_ref().is_some_and(TableEntry::is_inserted) {
            opened.plan.is_inserted(id);
        }
    }
    let mut found = Opened::default();
    for (id, entry) in (0..).map(Id).zip(&mut opened.entries) {
        let Some(entry) = entry else { continue };
        let member = entry.part.node().shared();
        let mut synced = member.synced();
        (entry.seen, entry.attempt) = (synced.cycle, member.attempts());
        observe(&shared.change_queue, id, &mut synced);
        let own = path.map(|path| listeners::move_below(&mut synced, path, &entry.name));
        if !matches!(synced.state(), State::Stopped | State::Stopping) {
            found.there.push(id);
        }
        drop(synced);
        if let Some(own) = own.filter(|own| !own.is_empty()) {
            let moved = (entry.name.clone(), entry.part.clone(), own);
            found.moved.push(moved);
        }
    }
    Ok(found)
}
