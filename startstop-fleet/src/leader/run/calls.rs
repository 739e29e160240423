//! The store's side: calls with their limits, hints, and what is told of its troubles.

use std::time::Duration;

use startstop_core::{BoxError, Permanent, Service};

use super::{Run, Wish};
use crate::clock;
use crate::election::{Call, CallError, CallId, Event};
use crate::leader::LeaderError;
use crate::patience::{limited, spread};
use crate::record::{Record, Version};
use crate::store::{LeaseStore, StoreError};

/// How the store has behaved.
#[derive(Debug, Default)]
pub(super) struct Contact {
    /// It fails, and that was reported.
    failing: bool,
    /// The error that it has failed with, until that is reported.
    pub(super) trouble: Option<StoreError>,
    /// Whether the call in progress writes, and whether the last one that did has failed: a server that became a standby goes on
    /// to answer reads.
    writes: bool,
    failing_writes: bool,
    /// The last version that it has answered, if it has: another one was written by somebody.
    seen: Option<Version>,
}

impl Contact {
    /// Notes a version that it has answered or told. Another one was written by somebody, so it takes writes.
    pub(super) fn sees(&mut self, record: &Record) {
        let seen = self.seen.replace(record.version().clone());
        self.failing_writes &= seen.as_ref() == Some(record.version());
    }
}

impl<S: Service, L: LeaseStore> Run<'_, S, L> {
    /// Asks the store, until it answers, whether this lease can be had at all.
    pub(super) async fn check(&mut self) -> Result<(), BoxError> {
        let (timing, store) = (self.leader.timing, &self.leader.store);
        let cx = self.cx.clone();
        let mut failing = None;
        loop {
            let check = limited(timing.call_limit(), store.check(&self.leader.name));
            let Some(checked) = cx.run_until_cancelled(check).await else {
                return Ok(());
            };
            match checked {
                Ok(()) => return Ok(()),
                Err(error) => self.on_trouble(error)?,
            }
            let now = clock::now();
            let since = *failing.get_or_insert(now);
            let pause = spread(timing.pause(now.saturating_sub(since)), 0.5);
            let pause = tokio::time::sleep(pause);
            if cx.run_until_cancelled(pause).await.is_none() {
                return Ok(());
            }
        }
    }

    /// Listens to the store while we follow, nothing is asked, and it answers.
    pub(super) fn listen(&mut self) {
        let quiet = self.call.is_none() && self.election.is_following() && !self.contact.failing;
        match (self.election.record().filter(|_| quiet), &self.hint) {
            (None, _) => self.hint = None,
            (Some(seen), Some((since, _))) if seen.version() == since => {}
            (Some(seen), _) => {
                let (store, name, seen) = (&self.leader.store, &self.leader.name, seen.clone());
                let (since, retry) = (seen.version().clone(), self.leader.timing.retry);
                let hint = async move {
                    let told = store.changed(name, seen.version()).await;
                    useful(told, &seen, retry).await
                };
                self.hint = Some((since, Box::pin(hint)));
            }
        }
    }

    pub(super) fn on_answer(&mut self, call: CallId, result: Result<Record, StoreError>) -> Event {
        let result = match result {
            Ok(record) => {
                let first = self.contact.seen.is_none();
                self.contact.failing = false;
                self.contact.failing_writes &= !self.contact.writes;
                self.contact.sees(&record);
                if first && self.leader.readiness == Wish::ReadyWhileFollowing {
                    self.cx.ready();
                }
                Ok(record)
            }
            Err(StoreError::Conflict) => Err(CallError::Conflict),
            Err(error) => {
                self.contact.trouble = Some(error);
                Err(CallError::Unknown)
            }
        };
        Event::Answered { call, result }
    }

    /// A store that refuses before it has answered once ends the leader; other trouble is reported when it begins.
    pub(super) fn on_trouble(&mut self, error: StoreError) -> Result<(), BoxError> {
        if matches!(error, StoreError::Refused(_)) && self.contact.seen.is_none() {
            return Err(Permanent::new(LeaderError::Refused(error)).into());
        }
        let writes = self.contact.writes;
        let goes_on = self.contact.failing || (writes && self.contact.failing_writes);
        self.contact.failing = true;
        self.contact.failing_writes |= writes;
        if !goes_on {
            self.cx.report(LeaderError::Store(error));
        }
        Ok(())
    }

    pub(super) fn call(&mut self, id: CallId, call: Call, limit: Duration) {
        self.hint = None;
        self.contact.writes = !matches!(call, Call::Read);
        let (store, name) = (&self.leader.store, &self.leader.name);
        let claim = self.claim.clone();
        let answer = async move {
            let answer = async {
                match &call {
                    Call::Read => store.read(name).await,
                    Call::Take { expected } => store.take(name, &claim, expected).await,
                    Call::Renew { held } => store.renew(name, held).await,
                    Call::Release { held } => store.release(name, held).await,
                }
            };
            (id, limited(limit, answer).await)
        };
        self.call = Some(Box::pin(answer));
    }
}

/// Waits for a useful hint. One that tells nothing, or has failed, is good for a look a while later: all who have listened
/// to the store were told so at once, and look one after the other.
async fn useful(
    told: Result<Option<Record>, StoreError>,
    seen: &Record,
    retry: Duration,
) -> Option<Record> {
    match told {
        Ok(Some(record)) if record != *seen => Some(record),
        _ => {
            tokio::time::sleep(spread(retry, 0.5)).await;
            None
        }
    }
}
