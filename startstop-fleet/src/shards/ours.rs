//! The shards of this process.

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as Task, Waker};
use std::time::Duration;

use startstop_core::{StartStop, State};

use crate::record::{Record, Version};
use crate::term::Term;

/// The shards that are here, each with its record, until that is released.
#[derive(Debug, Default)]
pub(super) struct Ours(Mutex<HashMap<u32, Owned>>);

#[derive(Debug)]
pub(super) struct Owned {
    pub(super) record: Record,
    pub(super) running: Running,
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

/// The service of a shard in its term, which is over at the latest when this is dropped.
#[derive(Debug, Clone)]
pub(super) struct Running {
    pub(super) term: Term,
    pub(super) handle: Arc<dyn StartStop>,
}

impl Running {
    /// Lets no run begin any more, tells one that goes on to stop, and returns whether none does.
    fn ends(&self) -> bool {
        self.term.close();
        let has_ended = self.handle.state() == State::Stopped;
        if !has_ended {
            self.handle.request_stop();
        }
        has_ended
    }

    fn abort(&self) {
        self.term.end();
        let stop = pin!(self.handle.stop_within(Duration::ZERO));
        // Once it was polled it goes on.
        let _ = stop.poll(&mut Task::from_waker(Waker::noop()));
    }

    /// Waits until nothing of it runs, nor can. It may run beside the group, started by its handle.
    pub(super) async fn ended(&self) {
        if !self.ends() {
            self.handle.wait_for(State::Stopped).await;
        }
        self.term.end();
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        self.running.term.end();
    }
}

impl Ours {
    /// Its service has ended, or its record is somebody else's.
    pub(super) fn end_term(&self, shard: u32) {
        if let Some(owned) = self.lock().get(&shard) {
            owned.running.term.end();
        }
    }

    /// Forgets those whose service has ended by itself, for they are no longer in the group. One that its handle has started
    /// beside that is told to stop.
    pub(super) fn forget_ended(&self, is_here: impl Fn(u32) -> bool) {
        let leaves = |shard: u32, owned: &Owned| owned.stage == ShardStage::Here && !is_here(shard);
        let left = self.running(leaves);
        let ended = left.into_iter().filter(|(_, running)| running.ends());
        for (shard, _) in ended {
            self.lock().remove(&shard);
        }
    }

    /// Waits until nothing of them runs, nor can: what is left are those that their handles have started.
    pub(super) async fn ended(&self) {
        let all = self.running(|_, _| true);
        for (_, running) in &all {
            running.ends();
        }
        for (_, running) in &all {
            running.ended().await;
        }
    }

    /// Keeps those that are there after a balance that was ended in the middle of its work, and those that still run.
    pub(super) fn resume(&self, is_here: impl Fn(u32) -> bool) {
        for owned in self.lock().values_mut() {
            owned.stage = ShardStage::Here;
        }
        self.forget_ended(is_here);
    }

    /// Lets none of them be started any more.
    pub(super) fn close(&self) {
        for (_, running) in self.running(|_, _| true) {
            running.term.close();
        }
    }

    /// Forgets all, and aborts what still runs.
    pub(super) fn clear(&self) {
        let all = std::mem::take(&mut *self.lock());
        for owned in all.values() {
            owned.running.abort();
        }
    }

    fn running(&self, of: impl Fn(u32, &Owned) -> bool) -> Vec<(u32, Running)> {
        let all = self.lock();
        let some = all.iter().filter(|(shard, owned)| of(**shard, owned));
        some.map(|(shard, owned)| (*shard, owned.running.clone()))
            .collect()
    }

    /// Its service has started, or has failed to.
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
