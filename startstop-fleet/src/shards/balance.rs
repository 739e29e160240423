//! The member of the group that takes and gives up shards.
//!
//! 1. A shard is started only when its record is ours, and released only when its service has ended.
//! 2. The record of a member whose lease is over is taken and released before anything that it had: so its own late renewal
//!    cannot make it live again.
//! 3. What belongs to a member that we do not know is taken only after a look at the record of that member.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use startstop_core::{Context, Group, Member, OnFailure, Runner, Service, Settings, WeakRunner};
use tokio::sync::watch;

use super::Make;
use super::plan::plan;
use super::view::{Members, View, holder_of, member_of};
use crate::clock;
use crate::record::{Record, Version};
use crate::store::{Claim, LeaseStore, StoreError};
use crate::term::Term;
use crate::timing::Timing;

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
struct Run<'a, S: Service, L: LeaseStore> {
    balance: &'a Balance<S, L>,
    cx: Context,
    term: Term,
    group: Runner<Group>,
    ours: Arc<Ours>,
    members: Members,
}

/// The shards that are here, each with its record, until that is released.
#[derive(Debug, Default)]
struct Ours(Mutex<HashMap<u32, Owned>>);

#[derive(Debug, Clone)]
struct Owned {
    record: Record,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Here,
    /// It stops, and is released then.
    Leaving,
}

impl Ours {
    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Owned>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Service, L: LeaseStore> Balance<S, L> {
    pub(super) async fn run(&self, cx: Context, term: Term, group: &OnceLock<WeakRunner<Group>>) {
        let Some(group) = group.get().and_then(WeakRunner::upgrade) else { return };
        let (ours, members) = (Arc::default(), Members::default());
        let mut run = Run { balance: self, cx: cx.clone(), term, group, ours, members };
        let mut failing = false;
        loop {
            match cx.run_until_cancelled(run.round()).await {
                None => return,
                Some(Ok(())) => failing = false,
                Some(Err(error)) if !failing => {
                    failing = true;
                    cx.report(error);
                }
                Some(Err(_)) => {}
            }
            let pause = tokio::time::sleep(self.timing.retry);
            if cx.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
    }

    fn shard(&self, shard: u32) -> String {
        format!("{}/shards/{shard}", self.name)
    }

    fn member(&self, member: &str) -> String {
        format!("{}/members/{member}", self.name)
    }
}

impl<S: Service, L: LeaseStore> Run<'_, S, L> {
    /// Looks at all records, and does what follows from them.
    async fn round(&mut self) -> Result<(), StoreError> {
        let (balance, store) = (self.balance, &self.balance.store);
        let records = limited(&balance.timing, store.list(&format!("{}/", balance.name))).await?;
        let view = self.members.view(&balance.name, records, clock::now());
        for (member, record) in &view.over {
            self.evict(member, record).await?;
        }
        let Some(me) = view.members.iter().position(|(member, _)| **member == *balance.member)
        else {
            return Ok(()); // our own membership is not in this list yet, or is about to be lost
        };
        self.forget_ended();
        let names: Vec<&str> = view.members.iter().map(|(member, _)| &**member).collect();
        let owners: Vec<_> = (0..balance.count).map(|shard| view.owner(shard)).collect();
        let planned = plan(&names, &owners);
        for (shard, owner) in (0..balance.count).zip(planned) {
            if owner == me {
                self.own(&view, me, shard).await?;
            } else {
                self.give_up(shard);
            }
        }
        Ok(())
    }

    /// Takes the record of a member whose lease is over, so that it cannot renew it, and deletes it.
    async fn evict(&self, member: &str, record: &Record) -> Result<(), StoreError> {
        let (timing, store) = (&self.balance.timing, &self.balance.store);
        let name = self.balance.member(member);
        let claim = Claim::new(self.balance.member.clone(), timing.lease);
        match limited(timing, store.take(&name, &claim, record.version())).await {
            Ok(taken) => match limited(timing, store.release(&name, &taken)).await {
                Ok(_) | Err(StoreError::Conflict) => Ok(()),
                Err(error) => Err(error),
            },
            Err(StoreError::Conflict) => Ok(()), // it lives, or somebody else was faster
            Err(error) => Err(error),
        }
    }

    /// A service that has ended by itself is no longer in the group: its record stays ours, and it is started again.
    fn forget_ended(&self) {
        let group = self.group.service();
        let here = |shard: &u32| group.get(&shard.to_string()).is_some();
        self.ours.lock().retain(|shard, owned| owned.stage == Stage::Leaving || here(shard));
        self.tell();
    }

    fn tell(&self) {
        let mut here: Vec<u32> = self.ours.lock().keys().copied().collect();
        here.sort_unstable();
        self.balance.owned.send_if_modified(|owned| {
            let changed = *owned != here;
            *owned = here;
            changed
        });
    }

    /// Has a shard run here, if it may.
    async fn own(&self, view: &View, me: usize, shard: u32) -> Result<(), StoreError> {
        let record = view.shards.get(&shard);
        let owned = self.ours.lock().get(&shard).cloned();
        if let Some(owned) = owned {
            // Somebody has taken or deleted it by hand.
            let same = record.is_some_and(|record| record.fence() == owned.record.fence());
            if !same && owned.stage == Stage::Here {
                self.give_up(shard);
            }
            return Ok(());
        }
        if !self.is_takable(view, me, record).await? {
            return Ok(());
        }
        let expected = match record {
            Some(record) => record.version().clone(),
            None => self.read(&self.balance.shard(shard)).await?.version().clone(),
        };
        self.take(view, me, shard, &expected).await
    }

    async fn is_takable(
        &self,
        view: &View,
        me: usize,
        record: Option<&Record>,
    ) -> Result<bool, StoreError> {
        let Some(holder) = record.and_then(Record::holder) else { return Ok(true) };
        let Some((member, fence)) = member_of(holder) else { return Ok(false) };
        let living = view
            .members
            .iter()
            .position(|(name, record)| name == member && record.fence() == fence);
        match living {
            Some(living) => Ok(living == me), // ours by a take whose answer was lost
            None => {
                let now = self.read(&self.balance.member(member)).await?;
                Ok(now.is_free() || now.fence() != fence)
            }
        }
    }

    async fn read(&self, name: &str) -> Result<Record, StoreError> {
        limited(&self.balance.timing, self.balance.store.read(name)).await
    }

    async fn take(
        &self,
        view: &View,
        me: usize,
        shard: u32,
        expected: &Version,
    ) -> Result<(), StoreError> {
        let (member, membership) = &view.members[me];
        let claim = Claim::beside(holder_of(member, membership.fence()), membership);
        let name = self.balance.shard(shard);
        let take = self.balance.store.take(&name, &claim, expected);
        let record = match limited(&self.balance.timing, take).await {
            Err(StoreError::Conflict) => return Ok(()),
            taken => taken?,
        };
        if !self.term.is_valid() {
            return Ok(()); // it goes with our membership
        }
        let owned = Owned { record: record.clone(), stage: Stage::Here };
        self.ours.lock().insert(shard, owned);
        self.tell();
        self.start(shard, name, &record);
        Ok(())
    }

    /// Starts it beside the balance, which does not wait for it.
    fn start(&self, shard: u32, name: String, record: &Record) {
        let term = self.term.beside(name, record.fence());
        let member = Member::new((self.balance.make)(shard, term));
        let member = member.settings(self.balance.settings.clone()).on_failure(OnFailure::Ignore);
        let group = self.group.clone();
        self.cx.spawn(async move {
            group.service().insert(shard.to_string(), member.transient()).await.ok();
        });
    }

    /// Stops a shard and releases it when it has ended.
    fn give_up(&self, shard: u32) {
        let record = {
            let mut ours = self.ours.lock();
            let here = ours.get_mut(&shard).filter(|owned| owned.stage == Stage::Here);
            let Some(owned) = here else { return };
            owned.stage = Stage::Leaving;
            owned.record.clone()
        };
        let (group, ours, store) =
            (self.group.clone(), self.ours.clone(), self.balance.store.clone());
        let (name, timing) = (self.balance.shard(shard), self.balance.timing);
        let owned = self.balance.owned.clone();
        self.cx.spawn(async move {
            let member = group.service().get(&shard.to_string());
            group.service().remove(&shard.to_string()).await.ok();
            if let Some(member) = member {
                member.wait_for(startstop_core::State::Stopped).await;
            }
            limited(&timing, store.release(&name, &record)).await.ok();
            ours.lock().remove(&shard);
            owned.send_modify(|owned| owned.retain(|other| *other != shard));
        });
    }
}

async fn limited<T>(
    timing: &Timing,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let limit: Duration = timing.call_limit();
    let late = |_| Err(StoreError::unavailable(format!("no answer within {limit:?}")));
    tokio::time::timeout(limit, call).await.unwrap_or_else(late)
}
