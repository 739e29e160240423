//! The view that a process has of the others: which are alive, and whose each shard is.
//!
//! A member is over as a leader is: when its record has not changed for its whole lease by our clock, or is gone.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::ours::Owned;
use crate::clock;
use crate::record::{Record, Version};
use crate::store::Change;

/// The records of `NAME/…` as the store has told them.
#[derive(Debug, Default)]
pub(super) struct RecordTable {
    inner: Mutex<ViewInner>,
    /// Something has changed that may move a shard.
    pub(super) changed: Notify,
    /// The watch tells nothing any more.
    pub(super) silent: Notify,
}

#[derive(Debug, Default)]
struct ViewInner {
    /// Each with the time by our clock since when we have seen it so.
    records: BTreeMap<String, (Record, Duration)>,
    source: Source,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Source {
    /// The store tells of no changes: it has to be listed each time.
    #[default]
    Listed,
    /// Changes are told, but what was there before is not known yet.
    Began,
    /// All is known, and kept up to date.
    Watched,
}

/// The state that all records show together.
#[derive(Debug, Default)]
pub(super) struct View {
    /// The live members, sorted by name.
    pub(super) members: Vec<(String, Record)>,
    /// Whose lease is over although its record is there.
    pub(super) over: Vec<(String, Record)>,
    /// Whose record has been free for a whole lease by our clock: nobody will take it again.
    pub(super) gone: Vec<(String, Record)>,
    /// The records of the shards, by their numbers; of those that are free too, where the store has told of them. One that no
    /// process of ours has written is free when it has been unchanged for a whole lease.
    pub(super) shards: HashMap<u32, Record>,
    /// The place of each living member, by the name that the records of its shards bear.
    holders: HashMap<String, usize>,
}

impl RecordTable {
    pub(super) fn source(&self) -> Source {
        self.lock().source
    }

    /// Takes in what a watch tells.
    pub(super) fn tell(&self, change: Change) {
        let mut inner = self.lock();
        let moves = match change {
            Change::Began => {
                inner.source = Source::Began;
                true
            }
            Change::Record(key, record) => inner.put(key, &record, clock::now()),
        };
        drop(inner);
        if moves {
            self.changed.notify_one();
        }
    }

    /// A record was deleted that was of this version.
    pub(super) fn forget(&self, key: &str, version: &Version) {
        let mut inner = self.lock();
        let same = inner
            .records
            .get(key)
            .is_some_and(|(record, _)| record.version() == version);
        if same {
            inner.records.remove(key);
        }
    }

    /// Returns when the record was told that is renewed by writing it.
    pub(super) fn told_at(&self, key: &str) -> Option<Duration> {
        let inner = self.lock();
        let (record, since) = inner.records.get(key)?;
        record.lease().map(|_| *since)
    }

    /// Tells whether those that hold a record of this prefix are others than it was told.
    pub(super) fn has_missed(&self, prefix: &str, listed: &[(String, Record)]) -> bool {
        let inner = self.lock();
        let told = inner.records.iter().map(|(key, (record, _))| (key, record));
        let told = held(told.filter(|(key, _)| key.starts_with(prefix)));
        told != held(listed.iter().map(|(key, record)| (key, record)))
    }

    /// The watch has ended.
    pub(super) fn unwatched(&self) {
        self.lock().source = Source::Listed;
    }

    /// Takes in a list, which has begun after the source was `source`. What has been told meanwhile may be newer than it: then it
    /// conflicts, and is told or listed again.
    pub(super) fn listed(&self, source: Source, records: Vec<(String, Record)>, now: Duration) {
        let mut inner = self.lock();
        let old = std::mem::take(&mut inner.records);
        for (key, record) in records {
            let since = old
                .get(&key)
                .filter(|(seen, _)| seen.version() == record.version());
            let since = since.map_or(now, |(_, since)| *since);
            inner.records.insert(key, (record, since));
        }
        if source == Source::Began && inner.source == Source::Began {
            inner.source = Source::Watched;
        }
    }

    /// Sorts the records of `NAME/members/…` and `NAME/shards/…` at a time by our clock.
    pub(super) fn view(&self, name: &str, lease: Duration, now: Duration) -> View {
        let mut view = View::default();
        let inner = self.lock();
        for (key, (record, since)) in &inner.records {
            let Some((kind, rest)) = key.strip_prefix(name).and_then(parts) else {
                continue;
            };
            match (kind, rest.parse()) {
                ("shards", Ok(shard)) => {
                    let over = is_foreign(record) && now >= *since + lease;
                    let free = || Record::free(record.version().clone());
                    let record = if over { free() } else { record.clone() };
                    view.shards.insert(shard, record);
                }
                ("members", _) if !record.is_free() => {
                    let over = record
                        .lasts(lease)
                        .is_some_and(|lasts| now >= since.saturating_add(lasts));
                    let list = if over {
                        &mut view.over
                    } else {
                        &mut view.members
                    };
                    list.push((rest.to_owned(), record.clone()));
                }
                ("members", _) if now >= *since + lease => {
                    view.gone.push((rest.to_owned(), record.clone()));
                }
                _ => {}
            }
        }
        view.members.sort_by(|one, other| one.0.cmp(&other.0));
        let holders = view.members.iter().enumerate();
        view.holders = holders
            .map(|(place, (member, record))| (holder_of(member, record.fence()), place))
            .collect();
        view
    }

    fn lock(&self) -> MutexGuard<'_, ViewInner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ViewInner {
    /// Notes a record, and tells whether it is more than renewed.
    fn put(&mut self, key: String, record: &Record, now: Duration) -> bool {
        if record.version().is_absent() {
            return self.records.remove(&key).is_some();
        }
        let same = |old: &Record| (old.holder(), old.fence()) == (record.holder(), record.fence());
        let old = self.records.insert(key, (record.clone(), now));
        !old.is_some_and(|(old, _)| same(&old))
    }
}

/// Returns the terms of those that are not free, sorted by name.
fn held<'a>(records: impl Iterator<Item = (&'a String, &'a Record)>) -> Vec<(&'a str, u64)> {
    let held = records.filter(|(_, record)| !record.is_free());
    held.map(|(key, record)| (&**key, record.fence())).collect()
}

fn parts(rest: &str) -> Option<(&str, &str)> {
    rest.strip_prefix('/')?.split_once('/')
}

impl View {
    /// Tells whether it says that somebody else has a shard that is ours, or nobody.
    pub(super) fn contradicts(&self, shard: u32, owned: &mut Owned) -> bool {
        let seen = self.shards.get(&shard);
        if seen.is_some_and(|record| record.fence() == owned.record.fence()) {
            owned.taken_from = None;
            return false;
        }
        let version = seen.map_or_else(Version::absent, |record| record.version().clone());
        owned.taken_from.as_ref() != Some(&version)
    }

    /// Returns the place of the living member that has a shard.
    pub(super) fn owner(&self, shard: u32) -> Option<usize> {
        let holder = self.shards.get(&shard)?.holder()?;
        self.holders.get(holder).copied()
    }
}

/// Returns a name of a member that every store takes.
pub(super) fn plain(identity: &str) -> String {
    let identity = identity.to_ascii_lowercase();
    identity
        .replace(|c: char| !c.is_ascii_alphanumeric(), "-")
        .trim_matches('-')
        .to_owned()
}

/// Returns how the record of a shard names its holder: a member, and the term of its membership.
pub(super) fn holder_of(member: &str, fence: u64) -> String {
    format!("{member}@{fence}")
}

/// Returns the member that a record of a shard names, if it was written by one.
pub(super) fn member_of(holder: &str) -> Option<(&str, u64)> {
    let (member, fence) = holder.rsplit_once('@')?;
    (!member.is_empty() && plain(member) == member).then_some(())?;
    Some((member, fence.parse().ok()?))
}

/// Tells whether it names somebody who is no member and never was.
fn is_foreign(record: &Record) -> bool {
    record
        .holder()
        .is_some_and(|holder| member_of(holder).is_none())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Change, Record, RecordTable, Source, Version, holder_of, member_of};

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn member(version: u64) -> (String, Record) {
        let record = Record::held("a", 3, Version::from(version)).lasting(secs(15));
        ("orders/members/a".to_owned(), record)
    }

    #[test]
    fn a_member_is_over_when_its_record_has_not_changed_for_its_lease() {
        let table = RecordTable::default();
        for (version, at, members, over) in
            [(1, 0, 1, 0), (2, 14, 1, 0), (2, 28, 1, 0), (2, 29, 0, 1)]
        {
            table.listed(Source::Listed, vec![member(version)], secs(at));
            let view = table.view("orders", secs(15), secs(at));
            assert_eq!(
                (view.members.len(), view.over.len()),
                (members, over),
                "at {at} s"
            );
        }
    }

    #[test]
    fn a_shard_belongs_to_a_member_of_this_very_term() {
        let shard = |holder: String| {
            (
                "orders/shards/7".to_owned(),
                Record::held(holder, 1, Version::from(9)),
            )
        };
        for (fence, owner) in [(3, Some(0)), (2, None)] {
            let table = RecordTable::default();
            table.listed(
                Source::Listed,
                vec![member(1), shard(holder_of("a", fence))],
                secs(0),
            );
            let view = table.view("orders", secs(15), secs(0));
            assert_eq!(view.owner(7), owner);
        }
        assert_eq!(member_of("a-b@3"), Some(("a-b", 3)));
        for other in ["a@b@3", "ops", "ops@", "Ops@3", "@3"] {
            assert_eq!(member_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_shard_of_nobody_that_we_know_is_free_after_a_whole_lease() {
        let table = RecordTable::default();
        let shard = Record::held("ops", 1, Version::from(9)).lasting(secs(0));
        let key = "orders/shards/7".to_owned();
        table.listed(Source::Listed, vec![(key, shard)], secs(100));
        let free = |at| table.view("orders", secs(15), at).shards[&7].is_free();
        assert_eq!(
            [secs(100), secs(114), secs(115)].map(free),
            [false, false, true]
        );
    }

    #[test]
    fn a_member_whose_record_does_not_say_how_long_it_lasts_is_over_after_our_lease() {
        let table = RecordTable::default();
        let (key, record) = member(1);
        table.listed(
            Source::Listed,
            vec![(key, record.lasting(secs(0)))],
            secs(0),
        );
        let over = |at| table.view("orders", secs(15), at).over.len();
        assert_eq!([secs(0), secs(14), secs(15)].map(over), [0, 0, 1]);
    }

    #[test]
    fn it_is_listed_once_and_then_told() {
        let table = RecordTable::default();
        table.tell(Change::Began);
        assert_eq!(table.source(), Source::Began);
        table.listed(Source::Began, vec![member(1)], secs(0));
        assert_eq!(table.source(), Source::Watched);
        let gone = Record::free(Version::absent());
        table.tell(Change::Record("orders/members/a".to_owned(), gone));
        let view = table.view("orders", secs(15), secs(0));
        assert!(view.members.is_empty());
        table.unwatched();
        assert_eq!(table.source(), Source::Listed);
    }

    #[test]
    fn a_member_is_gone_when_its_record_has_been_free_for_a_lease() {
        let table = RecordTable::default();
        let key = "orders/members/a".to_owned();
        let free = Record::free(Version::from(7));
        let gone = |at| {
            table.listed(Source::Listed, vec![(key.clone(), free.clone())], at);
            let view = table.view("orders", secs(15), at);
            assert!(view.members.is_empty() && view.over.is_empty());
            view.gone.len()
        };
        assert_eq!([secs(100), secs(114), secs(115)].map(gone), [0, 0, 1]);
        table.forget(&key, &Version::from(6));
        assert_eq!(table.view("orders", secs(15), secs(115)).gone.len(), 1);
        table.forget(&key, free.version());
        assert!(table.view("orders", secs(15), secs(115)).gone.is_empty());
    }

    #[test]
    fn what_was_not_told_is_missed() {
        let table = RecordTable::default();
        let (key, told) = member(1);
        let prefix = "orders/members/";
        assert!(table.has_missed(prefix, &[member(1)]));
        table.tell(Change::Record(key.clone(), told));
        assert!(!table.has_missed(prefix, &[member(2)]), "it was renewed");
        assert!(table.has_missed(prefix, &[]));
        let again = Record::held("a", 4, Version::from(3));
        assert!(table.has_missed(prefix, &[(key.clone(), again)]));
        let free = Record::free(Version::from(3));
        assert!(table.has_missed(prefix, &[(key, free)]));
    }

    #[tokio::test]
    async fn a_renewal_wakes_nobody() {
        let table = RecordTable::default();
        table.tell(Change::Began);
        table.changed.notified().await;
        let tell = |version| {
            let (key, record) = member(version);
            table.tell(Change::Record(key, record));
        };
        tell(1);
        table.changed.notified().await;
        tell(2);
        let woken = tokio::time::timeout(Duration::ZERO, table.changed.notified()).await;
        assert!(woken.is_err());
    }
}
