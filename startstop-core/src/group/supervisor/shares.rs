//! How the time that a stop of the group has left is shared out among its members.
//!
//! A member has its share until it is down. When the share is over those behind it have their turn, so that one that hangs
//! takes nothing from them. What it leaves over is shared out among those after it, since each share is of what is left then.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{StopRequest, Supervisor};
use crate::engine::request::{self, Down};
use crate::engine::{Node, grace};
use crate::group::member::MemberPart;
use crate::group::table::{Table, TableEntry};
use crate::rules::graph::Id;
use crate::rules::span::{Span, Tail};

/// The time that was shared out.
#[derive(Default)]
pub(super) struct Shares {
    /// How long each member may take, and those behind it, by id; found out with the first share.
    members: Option<Vec<Option<(Span, Tail)>>>,
    /// The deadline by which all that were stopping have their shares.
    deadline: Option<Instant>,
    /// When the shares are over of those that were told, also of those that are down by now.
    ends: BinaryHeap<Reverse<(Instant, Id)>>,
}

impl Shares {
    /// Returns whether there is less time now than when it was shared out.
    pub(super) fn is_shortened(&self, deadline: Option<Instant>) -> bool {
        deadline.is_some_and(|deadline| self.deadline.is_none_or(|old| deadline < old))
    }
}

/// Tells a member to stop, within its share where the group has a deadline.
pub(super) fn stop(supervisor: &mut Supervisor<'_>, id: Id) {
    let (part, down) = {
        let table = supervisor.shared.table();
        let Some(entry) = table.look_up(id) else {
            return;
        };
        (entry.part.clone(), down(&table, id))
    };
    stop_within(supervisor, id, &part, down);
}

/// Returns how long a member stays down that is told to stop now.
pub(super) fn down(table: &Table, id: Id) -> Down {
    if table.plan.is_stopping() || table.plan.is_leaving(id) {
        Down::ForGood
    } else {
        Down::ForNow
    }
}

/// The same as [`stop`], of a member that was looked up.
pub(super) fn stop_within(supervisor: &mut Supervisor<'_>, id: Id, part: &MemberPart, down: Down) {
    let deadline = match supervisor.told {
        // It is looked at in each turn.
        StopRequest::ToStop => supervisor.shares.deadline,
        StopRequest::Nothing | StopRequest::ToDrain => supervisor.cx.deadline(),
    };
    let Some(deadline) = deadline else {
        return request::stop_member(part.node(), None, down);
    };
    let now = Instant::now();
    let left = deadline.saturating_duration_since(now);
    let spans = spans_of(supervisor, left).get(id.0).copied().flatten();
    match spans.and_then(|(span, tail)| span.share(tail, left)) {
        Some(share) if share.stop != left => {
            let end = now.checked_add(share.all);
            supervisor
                .shares
                .ends
                .extend(end.map(|at| Reverse((at, id))));
            request::stop_share(part.node(), share.stop, down);
        }
        // It has all that is left, if it needs that.
        _ => request::stop_member(part.node(), Some(left), down),
    }
}

fn spans_of<'a>(supervisor: &'a mut Supervisor<'_>, left: Duration) -> &'a [Option<(Span, Tail)>] {
    if supervisor.shares.members.is_none() {
        supervisor.shares.members = Some(measure(supervisor, left));
    }
    supervisor.shares.members.get_or_insert_default()
}

/// Returns how long those may take that are to be stopped.
fn measure(supervisor: &Supervisor<'_>, left: Duration) -> Vec<Option<(Span, Tail)>> {
    let alive: Vec<_> = {
        let table = supervisor.shared.table();
        let entries = (0..).map(Id).zip(&table.entries);
        let alive = |(id, entry): (Id, &Option<TableEntry>)| {
            let entry = entry.as_ref().filter(|_| table.plan.is_alive(id))?;
            Some(Arc::clone(entry.part.node()))
        };
        entries.map(alive).collect()
    };
    // Not under the lock of the table: it comes before those of what is nested, which are looked at here.
    let span = |node: Option<Arc<dyn Node>>| node.map(|node| grace::span_in_stop(&*node));
    let spans: Vec<Option<Span>> = alive.into_iter().map(span).collect();
    let tails = supervisor
        .shared
        .table()
        .plan
        .tails(left, |id| spans.get(id.0).copied().flatten());
    let mut tails = tails.into_iter();
    let with_tail = |span: Option<Span>| {
        let tail = tails.next().unwrap_or_default();
        span.map(|span| (span, tail))
    };
    spans.into_iter().map(with_tail).collect()
}

/// There may be less time than there was: what is stopping has a smaller share then.
pub(super) fn share_out_again(supervisor: &mut Supervisor<'_>) {
    let deadline = supervisor.cx.deadline();
    if !supervisor.shares.is_shortened(deadline) {
        return;
    }
    supervisor.shares.deadline = deadline;
    let stopping = supervisor.shared.table().plan.stopping();
    for id in stopping {
        stop(supervisor, id);
    }
}

/// Returns when the next share is over of a member that is not down.
pub(super) fn next_end(supervisor: &mut Supervisor<'_>) -> Option<Instant> {
    if supervisor.shares.ends.is_empty() {
        return None;
    }
    let table = supervisor.shared.table();
    while let Some(Reverse((at, id))) = supervisor.shares.ends.peek() {
        if table.plan.is_stopping_member(*id) {
            return Some(*at);
        }
        supervisor.shares.ends.pop();
    }
    None
}

/// Shares are over: those behind them have their turn.
pub(super) fn end_those_over(supervisor: &mut Supervisor<'_>) {
    let now = Instant::now();
    while let Some(Reverse((at, id))) = supervisor.shares.ends.peek().copied() {
        if at > now {
            break;
        }
        supervisor.shares.ends.pop();
        supervisor.shared.table().plan.is_late(id);
    }
    supervisor.run_actions();
}
