//! The changes that the server has told.
//!
//! A notification has the record in it: who hears it need not ask.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast;

use super::row::{signed, unsigned, version_of};
use crate::record::{Record, Version};

/// The most changes that are kept: a reader that is further behind begins anew.
const CHANGES: usize = 4096;

/// The most that are kept for those who follow one lease.
const CHANGES_OF_ONE: usize = 16;

/// A lease and its record, or nothing once nobody listens any more.
pub(super) type Notified = Option<(String, Record)>;

/// The changes that the connection has told.
pub(super) struct Heard {
    /// By its name, the newest.
    known: Mutex<HashMap<String, Record>>,
    changes: broadcast::Sender<Notified>,
    /// By name, for those who follow one lease: they are not woken for any other.
    followed: Mutex<HashMap<String, broadcast::Sender<Record>>>,
    closed: AtomicBool,
}

impl Heard {
    pub(super) fn new() -> Self {
        let changes = broadcast::Sender::new(CHANGES);
        Self {
            known: Mutex::default(),
            changes,
            followed: Mutex::default(),
            closed: AtomicBool::new(false),
        }
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<Notified> {
        self.changes.subscribe()
    }

    /// Returns the changes of one lease, which end with the connection.
    pub(super) fn follow(&self, name: &str) -> broadcast::Receiver<Record> {
        let mut followed = self.followed();
        if self.is_closed() {
            return broadcast::Sender::new(1).subscribe();
        }
        let changes = followed.entry(name.to_owned());
        let changes = changes.or_insert_with(|| broadcast::Sender::new(CHANGES_OF_ONE));
        changes.subscribe()
    }

    pub(super) fn known(&self, name: &str) -> Option<Record> {
        self.lock().get(name).cloned()
    }

    /// Notes what was read since it listens; what was told meanwhile may be newer.
    pub(super) fn note(&self, name: &str, record: &Record) {
        let mut known = self.lock();
        let old = known.get(name);
        if old.is_none_or(|old| signed(old.version()) < signed(record.version())) {
            known.insert(name.to_owned(), record.clone());
        }
    }

    /// Forgets this version, so that the record is read again.
    pub(super) fn forget(&self, name: &str, version: &Version) {
        let mut known = self.lock();
        if known
            .get(name)
            .is_some_and(|known| known.version() == version)
        {
            known.remove(name);
        }
    }

    pub(super) fn tell(&self, payload: &str) {
        if let Some((name, record)) = parse(payload) {
            self.note(&name, &record);
            let mut followed = self.followed();
            if let Some(changes) = followed.get(&name) {
                if changes.send(record.clone()).is_err() {
                    followed.remove(&name);
                }
            }
            drop(followed);
            self.changes.send(Some((name, record))).ok();
        }
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.followed().clear();
        self.changes.send(None).ok();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn followed(&self) -> MutexGuard<'_, HashMap<String, broadcast::Sender<Record>>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Record>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `VERSION FENCE MILLIS LENGTH NAMEHOLDER`: see the statements that tell.
fn parse(payload: &str) -> Option<(String, Record)> {
    let mut parts = payload.splitn(5, ' ');
    let mut number = || parts.next()?.parse::<i64>().ok();
    let (version, fence, millis, length) = (number()?, number()?, number()?, number()?);
    let rest = parts.next()?;
    let name: String = rest.chars().take(usize::try_from(length).ok()?).collect();
    let holder = &rest[name.len()..];
    let version = version_of(version);
    let lease = Duration::from_millis(unsigned(millis));
    let record = match holder {
        "" => Record::free(version),
        holder => Record::held(holder, unsigned(fence), version).lasting(lease),
    };
    Some((name, record))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::broadcast::error::TryRecvError;

    use super::{Heard, Record, Version, parse};

    #[test]
    fn who_follows_a_lease_hears_of_no_other_and_of_the_end() {
        let heard = Heard::new();
        let mut changes = heard.follow("a");
        heard.tell("9 7 15000 1 bhost");
        assert_eq!(changes.try_recv(), Err(TryRecvError::Empty));
        heard.tell("10 8 15000 1 ahost");
        assert_eq!(changes.try_recv().unwrap().fence(), 8);
        heard.close();
        assert_eq!(changes.try_recv(), Err(TryRecvError::Closed));
        assert_eq!(heard.follow("a").try_recv(), Err(TryRecvError::Closed));
    }

    #[test]
    fn a_notification_has_the_record_in_it() {
        let held = Record::held("host 1/77", 7, Version::from(9)).lasting(Duration::from_secs(15));
        assert_eq!(
            parse("9 7 15000 4 ä/b host 1/77"),
            Some(("ä/b ".to_owned(), held))
        );
        let free = Record::free(Version::from(10));
        assert_eq!(parse("10 7 -1 3 a/b"), Some(("a/b".to_owned(), free)));
        assert_eq!(parse("something else"), None);
    }
}
