//! What members have done: told to the board, and what of it concerns the whole group.

use std::sync::Arc;

use super::Supervisor;
use super::changes::reply;
use super::look::Look;
use crate::error::StartError;
use crate::failure::{Failure, Fault};
use crate::group::board::{Closing, Rest};
use crate::group::graph::Id;
use crate::group::member::Part;
use crate::hold::{Place, record};
use crate::state::{Exit, State};

impl Supervisor<'_> {
    /// Tells the board what a member is up to.
    pub(super) fn look_at_one(&mut self, id: Id) {
        let Some(part) = self.part(id) else { return };
        let look = Look::at(&*part.node);
        let seen = std::mem::replace(&mut self.shared.table().entry_mut(id).seen, look.cycle);
        if look.is_resting() {
            if look.cycle > seen {
                // It was started by its handle, and has ended before anybody looked.
                self.shared.table().board.rises(id);
            }
            self.rests(id, &look);
            return;
        }
        let mut table = self.shared.table();
        if look.state != State::Stopping {
            table.board.comes_back(id);
        }
        let was_alive = table.board.is_alive(id);
        if look.state == State::Running {
            table.board.is_up(id);
            let inserted = table.entry_mut(id).inserting.take();
            drop(table);
            reply(inserted, Ok(()));
        } else {
            table.board.rises(id);
            drop(table);
        }
        if !was_alive {
            // It was started by its handle: it is one of the group again.
            self.hold(&part);
        }
    }

    fn hold(&self, part: &Part) {
        let Some(place) = Place::kept(self.cx) else { return };
        let rest = part.node.core().cell().keep_hold(Arc::new(place));
        drop(rest);
    }

    fn rests(&mut self, id: Id, look: &Look) {
        if !self.shared.table().board.is_alive(id) {
            // The news is old: it has been at rest since before.
            return;
        }
        let rest = match look.exit {
            _ if look.stuck.is_some() => Rest::Stuck,
            _ if look.told => Rest::Told,
            Exit::Completed => Rest::Completed,
            Exit::Stopped => Rest::Told,
            _ => Rest::Failed,
        };
        self.note_stop(look);
        if rest == Rest::Completed {
            let inserted = self.shared.table().entry_mut(id).inserting.take();
            reply(inserted, Ok(()));
        }
        self.failed(id, rest, look.failure.as_ref(), || look.start_error());
    }

    /// Keeps what went wrong in a stop.
    fn note_stop(&self, look: &Look) {
        let closing = self.shared.table().board.closing().is_some();
        if let (true, Some(failure)) = (closing, look.failed_stop()) {
            record(self.cx, Fault::of(|| failure.clone().into()));
        }
    }

    /// Tells the board that a member rests, and what of it concerns the whole group.
    pub(super) fn failed(
        &mut self,
        id: Id,
        rest: Rest,
        failure: Option<&Failure>,
        start_error: impl FnOnce() -> StartError,
    ) {
        let limit = &mut self.limit;
        let mut table = self.shared.table();
        let fresh = table.board.is_coming(id);
        let was_closing = table.board.closing();
        table.board.rests(id, rest, || limit.allows(self.shared.limit));
        let closing = table.board.closing();
        drop(table);
        if fresh && rest != Rest::Completed {
            self.withdraw(id, start_error());
            return;
        }
        let (None, Some(closing)) = (was_closing, closing) else { return };
        let exceeded = match closing {
            Closing::Failed(_) => None,
            Closing::Limit(_) => self.shared.limit,
            Closing::Told | Closing::Completed => return,
        };
        self.failure = Some(match (failure, exceeded) {
            (Some(failure), Some((max, window))) => failure.at_limit(max, window).into(),
            (Some(failure), None) => failure.clone().into(),
            (None, _) => start_error().into(),
        });
    }
}
