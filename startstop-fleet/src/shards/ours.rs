//! The shards of this process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::record::{Record, Version};
use crate::term::Term;

/// The shards that are here, each with its record, until that is released.
#[derive(Debug, Default)]
pub(super) struct Ours(Mutex<HashMap<u32, Owned>>);

#[derive(Debug)]
pub(super) struct Owned {
    pub(super) record: Record,
    /// Over at the latest when it is here no more.
    pub(super) term: Term,
    /// The version before we took it, until the table has been told that it is ours.
    pub(super) taken_from: Option<Version>,
    pub(super) stage: ShardStage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShardStage {
    /// It is about to be in the group, or starts.
    Starting,
    Here,
    /// It stops, and is released then.
    Leaving,
}

impl Drop for Owned {
    fn drop(&mut self) {
        self.term.end();
    }
}

impl Ours {
    /// Its service has ended, or its record is somebody else's.
    pub(super) fn end_term(&self, shard: u32) {
        if let Some(owned) = self.lock().get(&shard) {
            owned.term.end();
        }
    }

    /// Its service has started, or has failed to.
    /// Keeps those that are there after a balance that was ended in the middle of its work, and no others.
    pub(super) fn resume(&self, is_here: impl Fn(u32) -> bool) {
        let mut ours = self.lock();
        ours.retain(|shard, _| is_here(*shard));
        for owned in ours.values_mut() {
            owned.stage = ShardStage::Here;
        }
    }

    pub(super) fn started(&self, shard: u32) {
        if let Some(owned) = self
            .lock()
            .get_mut(&shard)
            .filter(|owned| owned.stage == ShardStage::Starting)
        {
            owned.stage = ShardStage::Here;
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<u32, Owned>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
