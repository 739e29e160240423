//! Takes shards, some of them at a time, and starts what it has got.

use std::sync::Arc;

use startstop_core::{Member, OnFailure, Runner, Service, Settings};
use tokio::task::JoinSet;

use super::ours::{Owned, Running, ShardStage};
use super::run::ShardsRun;
use super::view::holder_of;
use crate::in_term::InTerm;
use crate::record::{Record, Version};
use crate::store::{Claim, LeaseStore, StoreError};

/// How many calls are on their way at once: ten thousand shards are not to take minutes, nor all of a store.
pub(super) const AT_ONCE: usize = 16;

pub(super) struct Taker<S: Service, L: LeaseStore> {
    run: Arc<ShardsRun<S, L>>,
    claim: Claim,
}

impl<S: Service, L: LeaseStore> Taker<S, L> {
    /// For the member that has this record.
    pub(super) fn new(run: &Arc<ShardsRun<S, L>>, membership: &Record) -> Arc<Self> {
        let holder = holder_of(&run.balance.member, membership.fence());
        Arc::new(Self {
            run: run.clone(),
            claim: Claim::beside(holder, membership),
        })
    }

    /// Takes those that are nobody's, as their records say that were seen.
    pub(super) async fn take_all(
        self: Arc<Self>,
        takable: Vec<(u32, Option<Record>)>,
    ) -> Result<(), StoreError> {
        let (mut calls, mut result) = (JoinSet::new(), Ok(()));
        for (shard, record) in takable {
            if calls.len() >= AT_ONCE {
                result = result.and(next(&mut calls).await);
            }
            if result.is_err() {
                break;
            }
            let this = self.clone();
            calls.spawn(async move { this.take(shard, record).await });
        }
        while !calls.is_empty() {
            result = result.and(next(&mut calls).await);
        }
        result
    }

    async fn take(&self, shard: u32, seen: Option<Record>) -> Result<(), StoreError> {
        let name = self.run.balance.shard(shard);
        let expected = seen
            .as_ref()
            .map_or_else(Version::absent, |record| record.version().clone());
        let taken = match self.try_take(&name, &expected).await? {
            Some(record) => Some((record, expected)),
            None => self.try_again(&name, &expected).await?,
        };
        let Some((record, taken_from)) = taken else {
            return Ok(());
        };
        if !self.run.term.is_valid() {
            return Ok(()); // it goes with our membership
        }
        let balance = &self.run.balance;
        let term = self.run.term.beside(name, record.fence());
        // User code, which may panic: then the record is ours for nothing, and is taken anew.
        let service = InTerm::new((balance.make)(shard, term.clone()), term.clone());
        let settings = Settings::new().name(shard.to_string());
        let runner = Runner::with_settings(service, settings.or(balance.settings.clone()));
        let running = Running {
            term,
            handle: Arc::new(runner.clone()),
        };
        let owned = Owned {
            record,
            running,
            taken_from: Some(taken_from),
            stage: ShardStage::Starting,
        };
        self.run.ours.lock().insert(shard, owned);
        self.run.tell_of(shard);
        self.start(shard, runner);
        Ok(())
    }

    /// Nothing if the record has changed.
    async fn try_take(&self, name: &str, expected: &Version) -> Result<Option<Record>, StoreError> {
        let balance = &self.run.balance;
        match balance
            .limited(balance.store.take(name, &self.claim, expected))
            .await
        {
            Err(StoreError::Conflict) => Ok(None),
            taken => taken.map(Some),
        }
    }

    /// A store need not tell of those that are free, nor of their versions.
    async fn try_again(
        &self,
        name: &str,
        expected: &Version,
    ) -> Result<Option<(Record, Version)>, StoreError> {
        let now = self.run.balance.read(name).await?;
        if !now.is_free() || now.version() == expected {
            return Ok(None);
        }
        let taken = self.try_take(name, now.version()).await?;
        Ok(taken.map(|record| (record, now.version().clone())))
    }

    /// Starts it beside the balance, which does not wait for it. Nor does a stop of the group, which the balance is in itself.
    fn start(&self, shard: u32, runner: Runner<InTerm>) {
        let member = Member::new(runner).on_failure(OnFailure::Ignore);
        let run = self.run.clone();
        self.run.cx.spawn(async move {
            let insert = run.group.insert(shard.to_string(), member.transient());
            run.cx.run_until_cancelled(insert).await;
            run.ours.started(shard);
        });
    }
}

/// Returns the result of a call that has ended.
async fn next(calls: &mut JoinSet<Result<(), StoreError>>) -> Result<(), StoreError> {
    match calls.join_next().await {
        Some(Ok(result)) => result,
        Some(Err(error)) => Err(StoreError::unavailable(error)),
        None => Ok(()),
    }
}
