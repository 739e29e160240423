//! The work of the thread: a queue of entries by time, each of which can be taken back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// The entries, by time and by number.
pub(super) struct DeadlineQueue<T> {
    times: BTreeSet<(Instant, u64)>,
    /// With its time; an entry that is being looked at is on loan.
    entries: BTreeMap<u64, (Instant, Option<T>)>,
    last: u64,
}

impl<T> DeadlineQueue<T> {
    pub(super) fn new() -> Self {
        Self {
            times: BTreeSet::new(),
            entries: BTreeMap::new(),
            last: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns when the first entry is due.
    pub(super) fn first(&self) -> Option<Instant> {
        self.times.first().map(|(at, _)| *at)
    }

    /// Puts an entry in. The number is what it is taken back with.
    pub(super) fn add(&mut self, at: Instant, entry: T) -> u64 {
        self.last += 1;
        self.times.insert((at, self.last));
        self.entries.insert(self.last, (at, Some(entry)));
        self.last
    }

    /// Takes an entry back; `None` where it has gone, or is being looked at.
    pub(super) fn remove(&mut self, number: u64) -> Option<T> {
        let (at, entry) = self.entries.remove(&number)?;
        self.times.remove(&(at, number));
        entry
    }

    /// Lends the first entry that is due.
    pub(super) fn lend(&mut self, now: Instant) -> Option<(u64, T)> {
        let first = self.times.first().copied().filter(|(at, _)| *at <= now)?;
        self.times.remove(&first);
        let (_, entry) = self.entries.get_mut(&first.1)?;
        entry.take().map(|entry| (first.1, entry))
    }

    /// Takes an entry that was lent, to be looked at again; hands it back if it was taken back meanwhile.
    pub(super) fn give_back(&mut self, number: u64, at: Instant, entry: T) -> Option<T> {
        let Some(place) = self.entries.get_mut(&number) else {
            return Some(entry);
        };
        *place = (at, Some(entry));
        self.times.insert((at, number));
        None
    }

    /// An entry that was lent needs no other look.
    pub(super) fn finish(&mut self, number: u64) {
        self.entries.remove(&number);
    }
}

#[cfg(test)]
mod tests {
    use super::DeadlineQueue;
    use std::time::{Duration, Instant};

    #[test]
    fn entries_are_lent_in_the_order_of_their_times() {
        let (mut queue, now) = (DeadlineQueue::new(), Instant::now());
        queue.add(now + Duration::from_secs(2), "late");
        queue.add(now + Duration::from_secs(1), "early");
        assert_eq!(queue.lend(now), None);
        let later = now + Duration::from_secs(3);
        assert_eq!(queue.lend(later).map(|(_, entry)| entry), Some("early"));
        assert_eq!(queue.lend(later).map(|(_, entry)| entry), Some("late"));
        assert_eq!(queue.lend(later), None);
    }

    #[test]
    fn an_entry_that_is_taken_back_while_it_is_lent_is_handed_back() {
        let (mut queue, now) = (DeadlineQueue::new(), Instant::now());
        let number = queue.add(now, "entry");
        let (lent, entry) = queue.lend(now).expect("it is due");
        assert_eq!((lent, queue.remove(number)), (number, None));
        assert_eq!(queue.give_back(lent, now, entry), Some("entry"));
        assert!(queue.is_empty() && queue.first().is_none());
    }

    #[test]
    fn an_entry_that_is_given_back_is_lent_again() {
        let (mut queue, now) = (DeadlineQueue::new(), Instant::now());
        queue.add(now, "entry");
        let (number, entry) = queue.lend(now).expect("it is due");
        assert_eq!(
            queue.give_back(number, now + Duration::from_secs(1), entry),
            None
        );
        assert_eq!(queue.lend(now), None);
        assert_eq!(queue.first(), Some(now + Duration::from_secs(1)));
        assert_eq!(queue.remove(number), Some("entry"));
        assert!(queue.is_empty() && queue.first().is_none());
    }
}
