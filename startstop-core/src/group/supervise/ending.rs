//! The end of the supervisor: its result, and what becomes of the members when it is dropped.

use std::sync::Arc;

use super::Supervisor;
use super::changes::reply;
use super::look::Look;
use super::news::hold;
use crate::error::StopError;
use crate::failure::Fault;
use crate::group::board::Closing;
use crate::group::error::GroupError;
use crate::group::graph::Id;
use crate::group::mailbox::unobserve;
use crate::hold::{Place, record};
use crate::panic::BoxError;
use crate::request;
use crate::state::State;

impl Supervisor<'_> {
    /// The result of `run`: what has ended the group, or else one that does not yield. The others that do
    /// not are recorded beside it.
    pub(super) fn end(mut self) -> Result<(), BoxError> {
        let stuck = self.stuck().into_iter().map(BoxError::from);
        let mut failures = self.failure.take().into_iter().chain(stuck);
        let result = failures.next().map_or(Ok(()), Err);
        for other in failures {
            record(self.cx, Fault::of(|| other));
        }
        result
    }

    /// The members that do not yield, but for one whose failure has ended the group.
    fn stuck(&self) -> Vec<StopError> {
        let table = self.shared.table();
        let ended_by = match table.board.closing() {
            Some(Closing::Failed(id) | Closing::Limit(id)) => Some(id),
            Some(Closing::Told | Closing::Completed) | None => None,
        };
        let entries = (0..).map(Id).zip(&table.entries);
        let others =
            entries.filter(|(id, _)| Some(*id) != ended_by).filter_map(|(_, entry)| entry.as_ref());
        let nodes: Vec<_> = others.map(|entry| Arc::clone(&entry.part.node)).collect();
        drop(table);
        nodes.iter().filter_map(|node| Look::at(&**node).stuck).collect()
    }
}

/// However the supervisor ends, by itself or dropped, no member is left running and nobody waits.
impl Drop for Supervisor<'_> {
    fn drop(&mut self) {
        let (parts, waiting) = {
            let mut table = self.shared.table();
            table.board.shut();
            let mut waiting = Vec::new();
            let mut parts = Vec::new();
            // From the last, since one that was inserted may come after another.
            for at in (0..table.entries.len()).rev() {
                let Some(Some(entry)) = table.entries.get_mut(at) else { continue };
                let inserting = entry.inserting.take();
                waiting.append(&mut entry.removing);
                parts.push((Id(at), entry.part.clone()));
                if inserting.is_some() {
                    waiting.extend(inserting);
                    // Dropped with `parts`, outside of the lock.
                    drop(table.delete(Id(at)));
                }
            }
            (parts, waiting)
        };
        for (id, part) in parts {
            unobserve(&self.shared.mailbox, id, &part);
            if part.handle.state() != State::Stopped {
                // It may have been started by its handle since anybody looked.
                hold(&part, Place::last(self.cx));
            }
            request::abort_part(&part.node);
        }
        for sender in waiting {
            reply(Some(sender), Err(GroupError::Stopping));
        }
    }
}
