//! The watch of a process on the records of all, and whether it still tells anything.
//!
//! A server that is frozen keeps its watches open in silence. Calls go on to another one, so a watch that has told nothing of what they
//! show is given up.

use std::time::Duration;

use startstop_core::Service;

use super::run::{Balance, ShardsRun};
use super::view::{RecordTable, Source};
use crate::clock;
use crate::patience::spread;
use crate::store::{LeaseStore, StoreError};

/// When it was last known that the watch tells what happens.
#[derive(Debug, Default)]
pub(super) struct Hearing {
    known: Duration,
    /// The look before this one showed what was not told: it may have been on its way.
    doubtful: bool,
}

impl<S: Service, L: LeaseStore> Balance<S, L> {
    /// Follows the changes of the store for as long as it can be watched, and then asks it anew.
    pub(super) async fn watch(&self, table: &RecordTable) {
        let prefix = format!("{}/", self.name);
        let mut failing = None;
        loop {
            let began = clock::now();
            tokio::select! {
                _ = self.store.watch(&prefix, |change| table.tell(change)) => {}
                () = table.silent.notified() => {}
            }
            if table.source() != Source::Listed {
                failing = None;
            }
            table.unwatched();
            table.changed.notify_one();
            let since = *failing.get_or_insert(began);
            let pause = self.timing.pause(clock::now().saturating_sub(since));
            tokio::time::sleep(spread(pause, 0.5)).await;
        }
    }
}

impl<S: Service, L: LeaseStore> ShardsRun<S, L> {
    /// Gives the watch up if it has told nothing of our own renewals for a lease, or, where a renewal changes no record, if the records
    /// of the members are not as it has told: they are listed once a lease.
    pub(super) async fn hears(&self, hearing: &mut Hearing) -> Result<(), StoreError> {
        let (balance, now) = (&self.balance, clock::now());
        if self.table.source() != Source::Watched {
            *hearing = Hearing {
                known: now,
                doubtful: false,
            };
            return Ok(());
        }
        let lease = balance.timing.lease;
        let own = balance.member(&balance.member);
        let silent = match self.table.told_at(&own) {
            Some(told) => now >= told + lease,
            None if !hearing.doubtful && now < hearing.known + lease => return Ok(()),
            None => {
                let prefix = balance.member("");
                let members = balance.limited(balance.store.list(&prefix)).await?;
                let missed = self.table.has_missed(&prefix, &members);
                let before = std::mem::replace(&mut hearing.doubtful, missed);
                hearing.known = clock::now();
                before && missed
            }
        };
        if silent {
            self.table.silent.notify_one();
        }
        Ok(())
    }
}
