//! The member of the group that takes and gives up shards.
//!
//! 1. A shard is started only when its record is ours, and released only when its service has ended.
//! 2. The record of a member whose lease is over is taken and released before anything that it had: so its own late renewal
//!    cannot make it live again.
//! 3. What belongs to a member that we do not know is taken only after a look at the record of that member.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use startstop_core::{Context, Group, Service};
use tokio::sync::Semaphore;

use super::ours::{Ours, ShardStage};
use super::plan::plan;
use super::run::{Balance, ShardsRun};
use super::take::{AT_ONCE, Taker};
use super::view::{RecordTable, Source, View, member_of};
use super::watching::Hearing;
use crate::clock;
use crate::patience::spread;
use crate::record::Record;
use crate::store::{Claim, LeaseStore, StoreError};
use crate::term::Term;

/// Why a round begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Woken {
    ByTime,
    ByChange,
}

/// For so long a shard changes are collected: each round looks at all of them, and thousands move one by one.
const COLLECTED: Duration = Duration::from_micros(10);

impl<S: Service, L: LeaseStore> Balance<S, L> {
    pub(super) async fn run(
        self: Arc<Self>,
        cx: Context,
        term: Term,
        ours: Arc<Ours>,
        group: &OnceLock<Weak<Group>>,
    ) {
        let Some(group) = group.get().and_then(Weak::upgrade) else {
            return;
        };
        let balance = self.clone();
        ours.resume(|shard| group.get(&shard.to_string()).is_some());
        let table = RecordTable::default();
        let run = Arc::new(ShardsRun {
            balance,
            cx: cx.clone(),
            term,
            group,
            ours,
            table,
            may_not_forget: AtomicBool::new(false),
            releases: Semaphore::new(AT_ONCE),
        });
        let watch = self.watch(&run.table);
        let rounds = run.rounds();
        cx.run_until_cancelled(async { tokio::join!(watch, rounds) })
            .await;
    }
}

impl<S: Service, L: LeaseStore> ShardsRun<S, L> {
    async fn rounds(self: &Arc<Self>) {
        let (mut failing, mut woken) = (None, Woken::ByTime);
        let mut hearing = Hearing::default();
        loop {
            let began = clock::now();
            if woken == Woken::ByTime {
                // Only on a tick, not on each change: a shard that ends at once must not be started in a loop.
                self.forget_ended();
            }
            let round = async {
                self.hears(&mut hearing).await?;
                self.round().await
            };
            match round.await {
                Ok(()) => failing = None,
                Err(error) => {
                    if failing.is_none() {
                        self.cx.report(error);
                    }
                    failing.get_or_insert(began);
                }
            }
            woken = self.rest(failing).await;
        }
    }

    /// Until something has changed, or for a while: services may have ended, and leases run out. It costs the store nothing where
    /// it tells of changes.
    async fn rest(&self, failing: Option<Duration>) -> Woken {
        let lasts = failing.map_or(Duration::ZERO, |since| clock::now().saturating_sub(since));
        let pause = spread(self.balance.timing.pause(lasts), 0.75);
        let mut pause = pin!(tokio::time::sleep(pause));
        if failing.is_some() {
            pause.await;
            return Woken::ByTime;
        }
        tokio::select! {
            () = &mut pause => return Woken::ByTime,
            () = self.table.changed.notified() => {}
        }
        tokio::select! {
            () = pause => {}
            () = tokio::time::sleep(COLLECTED * self.balance.count) => {}
        }
        Woken::ByChange
    }

    /// Looks at all records, and does what follows from them.
    async fn round(self: &Arc<Self>) -> Result<(), StoreError> {
        let balance = &self.balance;
        let source = self.table.source();
        if source != Source::Watched {
            let prefix = format!("{}/", balance.name);
            let records = balance.limited(balance.store.list(&prefix)).await?;
            self.table.listed(source, records, clock::now());
        }
        let lease = balance.timing.lease;
        let view = self.table.view(&balance.name, lease, clock::now());
        for (member, record) in &view.over {
            self.evict(member, record).await?;
        }
        let Some(me) = view
            .members
            .iter()
            .position(|(member, _)| **member == *balance.member)
        else {
            return Ok(()); // our own membership is not told yet, or is about to be lost
        };
        if me == 0 {
            self.forget_gone(&view).await?;
        }
        let names: Vec<&str> = view.members.iter().map(|(member, _)| &**member).collect();
        let owners: Vec<_> = (0..balance.count).map(|shard| view.owner(shard)).collect();
        let planned = plan(&names, &owners);
        let (mine, others): (Vec<_>, Vec<_>) = (0..balance.count)
            .zip(planned)
            .partition(|(_, owner)| *owner == me);
        for (shard, _) in others {
            if owners[shard as usize] == Some(me) && !self.ours.lock().contains_key(&shard) {
                self.release(shard, &view).await?;
            }
            self.give_up(shard);
        }
        let mine = mine.into_iter().map(|(shard, _)| shard).collect();
        let missing = self.missing(&view, mine).await?;
        let takable = self.takable(&view, me, missing).await?;
        Taker::new(self, &view.members[me].1)
            .take_all(takable)
            .await
    }

    /// Gives back a record that is ours although nothing of it runs: its take took effect, and its answer was lost.
    async fn release(&self, shard: u32, view: &View) -> Result<(), StoreError> {
        let balance = &self.balance;
        let Some(record) = view.shards.get(&shard) else {
            return Ok(());
        };
        let name = balance.shard(shard);
        match balance.limited(balance.store.release(&name, record)).await {
            Ok(_) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Takes the record of a member whose lease is over, so that it cannot renew it, and deletes it.
    async fn evict(&self, member: &str, record: &Record) -> Result<(), StoreError> {
        let balance = &self.balance;
        let name = balance.member(member);
        let claim = Claim::new(&*balance.member, balance.timing.lease);
        match balance
            .limited(balance.store.take(&name, &claim, record.version()))
            .await
        {
            Ok(taken) => match balance.limited(balance.store.release(&name, &taken)).await {
                Ok(_) | Err(StoreError::Conflict) => Ok(()),
                Err(error) => Err(error),
            },
            Err(StoreError::Conflict) => Ok(()), // it lives, or somebody else was faster
            Err(error) => Err(error),
        }
    }

    /// Deletes the records of members that are gone, so that a store which keeps those that are free does not collect one for each
    /// process that ever was. The first of those that live does it, and one that has come back meanwhile makes its record anew.
    async fn forget_gone(&self, view: &View) -> Result<(), StoreError> {
        let balance = &self.balance;
        for (member, record) in &view.gone {
            if self.may_not_forget.load(Ordering::Relaxed) {
                return Ok(());
            }
            let name = balance.member(member);
            match balance.limited(balance.store.forget(&name, record)).await {
                Ok(()) => self.table.forget(&name, record.version()),
                Err(StoreError::Refused(why)) => {
                    self.may_not_forget.store(true, Ordering::Relaxed);
                    let why = format!("the leases of processes that are gone stay: {why}");
                    self.cx.report(StoreError::refused(why));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// A service that has ended by itself is no longer in the group: its record stays ours, and it is started again.
    fn forget_ended(&self) {
        let group = &self.group;
        self.ours
            .forget_ended(|shard| group.get(&shard.to_string()).is_some());
        self.tell();
    }

    /// Those that are to be here and are not.
    async fn missing(
        self: &Arc<Self>,
        view: &View,
        planned: Vec<u32>,
    ) -> Result<Vec<u32>, StoreError> {
        let mut missing = Vec::new();
        for shard in planned {
            let doubtful = match self.ours.lock().get_mut(&shard) {
                Some(owned) if owned.stage == ShardStage::Leaving => None,
                Some(owned) => view.contradicts(shard, owned).then(|| owned.record.fence()),
                None => {
                    missing.push(shard);
                    None
                }
            };
            if let Some(fence) = doubtful {
                self.doubt(shard, fence).await?;
            }
        }
        Ok(missing)
    }

    /// Somebody has taken or deleted it by hand, or what was told is old: looked at before it is believed.
    async fn doubt(self: &Arc<Self>, shard: u32, fence: u64) -> Result<(), StoreError> {
        let now = self.balance.read(&self.balance.shard(shard)).await?;
        if now.fence() != fence {
            self.ours.end_term(shard);
            self.give_up(shard);
        }
        Ok(())
    }

    /// Those that are nobody's, with the record that says so.
    async fn takable(
        &self,
        view: &View,
        me: usize,
        wanted: Vec<u32>,
    ) -> Result<Vec<(u32, Option<Record>)>, StoreError> {
        let mut gone: HashMap<&str, bool> = HashMap::new();
        let mut takable = Vec::new();
        for shard in wanted {
            let record = view.shards.get(&shard);
            let may = match record.and_then(Record::holder) {
                None => true,
                Some(holder) if gone.contains_key(holder) => gone[holder],
                Some(holder) => {
                    let is_gone = self.is_gone(view, me, holder).await?;
                    gone.insert(holder, is_gone);
                    is_gone
                }
            };
            if may {
                takable.push((shard, record.cloned()));
            }
        }
        Ok(takable)
    }

    /// Tells whether what `holder` had may be taken.
    async fn is_gone(&self, view: &View, me: usize, holder: &str) -> Result<bool, StoreError> {
        let Some((member, fence)) = member_of(holder) else {
            return Ok(false);
        };
        let living = view
            .members
            .iter()
            .position(|(name, record)| name == member && record.fence() == fence);
        if let Some(living) = living {
            return Ok(living == me); // ours by a take whose answer was lost
        }
        let now = self.balance.read(&self.balance.member(member)).await?;
        Ok(now.is_free() || now.fence() != fence)
    }

    /// Stops a shard and releases it when it has ended; one that is not in the group yet the next time.
    fn give_up(self: &Arc<Self>, shard: u32) {
        let (record, running) = {
            let mut ours = self.ours.lock();
            let Some(owned) = ours.get_mut(&shard) else {
                return;
            };
            let is_member = || self.group.get(&shard.to_string()).is_some();
            match owned.stage {
                ShardStage::Leaving => return,
                ShardStage::Starting if !is_member() => return,
                ShardStage::Starting | ShardStage::Here => {}
            }
            owned.stage = ShardStage::Leaving;
            (owned.record.clone(), owned.running.clone())
        };
        let run = self.clone();
        self.cx.spawn(async move {
            let ended = async {
                running.term.close();
                run.group.remove(&shard.to_string()).await.ok();
                running.ended().await;
                run.releases.acquire().await
            };
            // At a stop the record goes with the membership.
            let Some(_turn) = run.cx.run_until_cancelled(ended).await else {
                return;
            };
            let balance = &run.balance;
            let name = balance.shard(shard);
            balance
                .limited(balance.store.release(&name, &record))
                .await
                .ok();
            run.ours.lock().remove(&shard);
            run.tell_of(shard);
        });
    }
}
