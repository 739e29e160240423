//! The state of a run of the balance, in one term of the membership.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use startstop_core::{Context, Group, Service, Settings};
use tokio::sync::{Semaphore, watch};

use super::ours::Ours;
use super::view::RecordTable;
use crate::patience::limited;
use crate::record::Record;
use crate::store::{LeaseStore, StoreError};
use crate::term::Term;
use crate::timing::Timing;

/// Makes the service of a shard.
pub(super) type Make<S> = Arc<dyn Fn(u32, Term) -> S + Send + Sync>;

pub(super) struct Balance<S: Service, L: LeaseStore> {
    pub(super) name: Arc<str>,
    pub(super) member: Arc<str>,
    pub(super) count: u32,
    pub(super) store: Arc<L>,
    pub(super) make: Make<S>,
    pub(super) settings: Settings,
    pub(super) timing: Timing,
    pub(super) owned: watch::Sender<Vec<u32>>,
}

/// A run in one term of the membership.
pub(super) struct ShardsRun<S: Service, L: LeaseStore> {
    pub(super) balance: Arc<Balance<S, L>>,
    pub(super) cx: Context,
    pub(super) term: Term,
    pub(super) group: Arc<Group>,
    pub(super) ours: Arc<Ours>,
    pub(super) table: RecordTable,
    /// There is no right to delete what members leave behind.
    pub(super) may_not_forget: AtomicBool,
    /// A permit for each release that may be on its way at once.
    pub(super) releases: Semaphore,
}

impl<S: Service, L: LeaseStore> Balance<S, L> {
    pub(super) fn shard(&self, shard: u32) -> String {
        format!("{}/shards/{shard}", self.name)
    }

    pub(super) fn member(&self, member: &str) -> String {
        format!("{}/members/{member}", self.name)
    }

    pub(super) async fn read(&self, name: &str) -> Result<Record, StoreError> {
        self.limited(self.store.read(name)).await
    }

    /// A call of the store within its limit.
    pub(super) async fn limited<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        limited(self.timing.call_limit(), call).await
    }
}

impl<S: Service, L: LeaseStore> ShardsRun<S, L> {
    /// Tells which shards are here now: whoever tells last has seen all that was told before.
    pub(super) fn tell(&self) {
        self.balance.owned.send_if_modified(|owned| {
            let mut here: Vec<u32> = self.ours.lock().keys().copied().collect();
            here.sort_unstable();
            let changed = *owned != here;
            *owned = here;
            changed
        });
    }

    /// Tells whether this shard is here now. Who takes ten thousand of them does not count all of them each time.
    pub(super) fn tell_of(&self, shard: u32) {
        self.balance.owned.send_if_modified(|owned| {
            let is_here = self.ours.lock().contains_key(&shard);
            match (owned.binary_search(&shard), is_here) {
                (Err(at), true) => owned.insert(at, shard),
                (Ok(at), false) => drop(owned.remove(at)),
                _ => return false,
            }
            true
        });
    }
}
