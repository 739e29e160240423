//! What a process sees of the others: who lives, and whose each shard is.
//!
//! A member is over as a leader is: when its record has not changed for its whole lease by our clock, or is gone.

use std::collections::HashMap;
use std::time::Duration;

use crate::record::{Record, Version};

#[derive(Debug, Default)]
pub(super) struct Members {
    /// The version of each member's record, and since when we have seen it so.
    seen: HashMap<String, (Version, Duration)>,
}

/// What all records together say.
#[derive(Debug, Default)]
pub(super) struct View {
    /// Who lives, sorted by name.
    pub(super) members: Vec<(String, Record)>,
    /// Whose lease is over although its record is there.
    pub(super) over: Vec<(String, Record)>,
    /// The records of the shards, by their numbers.
    pub(super) shards: HashMap<u32, Record>,
}

impl Members {
    /// Sorts the records of `NAME/members/…` and `NAME/shards/…` at a time by our clock.
    pub(super) fn view(
        &mut self,
        name: &str,
        records: Vec<(String, Record)>,
        now: Duration,
    ) -> View {
        let mut view = View::default();
        let mut seen = HashMap::new();
        for (key, record) in records.into_iter().filter(|(_, record)| !record.is_free()) {
            let Some((kind, rest)) = key.strip_prefix(name).and_then(parts) else { continue };
            match (kind, rest.parse()) {
                ("shards", Ok(shard)) => drop(view.shards.insert(shard, record)),
                ("members", _) => {
                    let since = self.since(rest, &record, now);
                    seen.insert(rest.to_owned(), (record.version().clone(), since));
                    let over = record.lease().is_some_and(|lease| now >= since + lease);
                    let list = if over { &mut view.over } else { &mut view.members };
                    list.push((rest.to_owned(), record));
                }
                _ => {}
            }
        }
        self.seen = seen;
        view.members.sort_by(|one, other| one.0.cmp(&other.0));
        view
    }

    fn since(&self, member: &str, record: &Record, now: Duration) -> Duration {
        let seen = self.seen.get(member);
        let same = seen.filter(|(version, _)| version == record.version());
        same.map_or(now, |(_, since)| *since)
    }
}

fn parts(rest: &str) -> Option<(&str, &str)> {
    rest.strip_prefix('/')?.split_once('/')
}

impl View {
    /// The place of the living member that has a shard.
    pub(super) fn owner(&self, shard: u32) -> Option<usize> {
        let holder = self.shards.get(&shard)?.holder()?;
        self.members.iter().position(|(member, record)| holder == holder_of(member, record.fence()))
    }
}

/// How the record of a shard names its holder: a member, and the term of its membership.
pub(super) fn holder_of(member: &str, fence: u64) -> String {
    format!("{member}@{fence}")
}

/// The member that a record of a shard names.
pub(super) fn member_of(holder: &str) -> Option<(&str, u64)> {
    let (member, fence) = holder.rsplit_once('@')?;
    Some((member, fence.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Members, Record, Version, holder_of, member_of};

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn member(version: u64) -> (String, Record) {
        let record = Record::held("a", 3, Version::from(version)).lasting(secs(15));
        ("orders/members/a".to_owned(), record)
    }

    #[test]
    fn a_member_is_over_when_its_record_has_not_changed_for_its_lease() {
        let mut members = Members::default();
        assert_eq!(members.view("orders", vec![member(1)], secs(0)).members.len(), 1);
        assert_eq!(members.view("orders", vec![member(2)], secs(14)).members.len(), 1);
        assert_eq!(members.view("orders", vec![member(2)], secs(28)).over.len(), 0);
        assert_eq!(members.view("orders", vec![member(2)], secs(29)).over.len(), 1);
    }

    #[test]
    fn a_shard_belongs_to_a_member_of_this_very_term() {
        let shard = |holder: String| {
            ("orders/shards/7".to_owned(), Record::held(holder, 1, Version::from(9)))
        };
        for (fence, owner) in [(3, Some(0)), (2, None)] {
            let records = vec![member(1), shard(holder_of("a", fence))];
            let view = Members::default().view("orders", records, secs(0));
            assert_eq!(view.owner(7), owner);
        }
        assert_eq!(member_of("a@b@3"), Some(("a@b", 3)));
    }
}
