//! The end of the supervisor: its result, and what becomes of the members when it is dropped.

use std::sync::Arc;

use super::Supervisor;
use super::changes::reply;
use super::look::Look;
use crate::error::StopError;
use crate::group::error::GroupError;
use crate::group::graph::Id;
use crate::group::mailbox::unobserve;
use crate::panic::BoxError;
use crate::request;

impl Supervisor<'_> {
    /// The result of `run`.
    pub(super) fn end(mut self) -> Result<(), BoxError> {
        match (self.failure.take(), self.stuck()) {
            (Some(failure), _) => Err(failure),
            (None, Some(stuck)) => Err(stuck.into()),
            (None, None) => Ok(()),
        }
    }

    /// A member that does not yield.
    fn stuck(&self) -> Option<StopError> {
        let table = self.shared.table();
        let nodes: Vec<_> =
            table.entries.iter().flatten().map(|entry| Arc::clone(&entry.part.node)).collect();
        drop(table);
        nodes.iter().find_map(|node| Look::at(&**node).stuck)
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
            request::abort_part(&part.node);
        }
        for sender in waiting {
            reply(Some(sender), Err(GroupError::Stopping));
        }
    }
}
